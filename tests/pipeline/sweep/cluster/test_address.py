"""The addresses of a scheduler that are accepted, and those that are not encrypted."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.sweep.cluster.address import cluster_address


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A directory with files of the right names."""
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1.2.3"])
def test_this_machine_needs_no_encryption(host: str) -> None:
    address = cluster_address(f"tcp://{host}:8786")
    assert (address.scheme, address.host, address.port) == ("tcp", host.strip("[]"), 8786)
    assert address.is_loopback
    assert address.security == {}


@pytest.mark.parametrize("host", ["192.0.2.7", "other.example", "0.0.0.0", "[::]", "127.0.0.1.example"])
def test_another_machine_is_refused_without_encryption(host: str) -> None:
    with pytest.raises(WorkbookError, match="must be encrypted") as caught:
        cluster_address(f"tcp://{host}:8786")
    assert "tls://HOST:PORT with --certificates" in caught.value.hint


def test_tls_has_one_certificate_for_every_role(certificates: Path) -> None:
    address = cluster_address("tls://other.example:8786", certificates)
    assert not address.is_loopback
    assert address.security == {
        "require_encryption": True,
        "tls_ca_file": f"{certificates}/ca.pem",
        **{f"tls_{role}_cert": f"{certificates}/cert.pem" for role in ("client", "scheduler", "worker")},
        **{f"tls_{role}_key": f"{certificates}/key.pem" for role in ("client", "scheduler", "worker")},
    }


def test_tls_needs_certificates_and_tcp_takes_none(certificates: Path) -> None:
    for text, directory in (("tls://other.example:8786", None), ("tcp://127.0.0.1:8786", certificates)):
        with pytest.raises(WorkbookError, match="tls:// needs --certificates DIRECTORY, and tcp:// takes none"):
            cluster_address(text, directory)


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_a_certificate_that_is_missing_is_named(certificates: Path, name: str) -> None:
    (certificates / name).unlink()
    with pytest.raises(WorkbookError, match=f"{name} cannot be read: No such file"):
        cluster_address("tls://other.example:8786", certificates)


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1", "127.0.0.1:8786", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "tcp://:8786", "tcp://127.0.0.1:99999",
     "http://127.0.0.1:8786", "inproc://127.0.0.1:1", "tcp://a@127.0.0.1:8786", "tcp://127.0.0.1:8786/a", "tcp://[::1:1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(WorkbookError, match="not the address of a scheduler"):
        cluster_address(text)
