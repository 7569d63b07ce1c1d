"""Where a scheduler of dask listens, and the certificates of a connection to it."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from atomic_lib.base.errors import WorkbookError

CA_FILE, CERTIFICATE_FILE, KEY_FILE = "ca.pem", "cert.pem", "key.pem"
DEFAULT_ADDRESS = "tcp://127.0.0.1:8786"
_ACCEPTED = "give tls://HOST:PORT with --certificates DIRECTORY, or on this machine tcp://127.0.0.1:PORT"


@dataclass(frozen=True)
class ClusterAddress:
    """The scheduler's address. ``certificates``: the directory of CA, certificate and key; None: no encryption."""

    text: str
    host: str
    port: int
    certificates: Path | None = None

    @property
    def scheme(self) -> str:
        """The protocol, as dask names it."""
        return "tls" if self.certificates else "tcp"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return _is_loopback(self.host)

    @property
    def security(self) -> dict[str, object]:
        """The arguments of dask's ``Security``: one certificate, whatever the role."""
        if self.certificates is None:
            return {}
        certificate, key = str(self.certificates / CERTIFICATE_FILE), str(self.certificates / KEY_FILE)
        roles = {f"tls_{role}_{part}": path for role in ("client", "scheduler", "worker")
                 for part, path in (("cert", certificate), ("key", key))}  # fmt: skip
        return {"require_encryption": True, "tls_ca_file": str(self.certificates / CA_FILE), **roles}


def cluster_address(text: str, certificates: Path | None = None) -> ClusterAddress:
    """The address of a scheduler, as on the command line.

    What a scheduler is sent, its workers run, so a connection that leaves this machine must be encrypted, and both ends
    must have a certificate. Raises WorkbookError otherwise, and for what is no address.
    """
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in ("tcp", "tls") or not host or not port or parts.path or parts.query or parts.username:
        raise WorkbookError(f"{text}: not the address of a scheduler", hint=_ACCEPTED)
    if scheme == "tcp" and not _is_loopback(host):
        raise WorkbookError(
            f"{text}: a connection to another machine must be encrypted, because workers run what they are sent",
            hint=_ACCEPTED,
        )
    if (scheme == "tls") != (certificates is not None):
        raise WorkbookError(f"{text}: tls:// needs --certificates DIRECTORY, and tcp:// takes none", hint=_ACCEPTED)
    if certificates is not None:
        _require_certificates(certificates)
    return ClusterAddress(text, host, port, certificates)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _require_certificates(directory: Path) -> None:
    for name in (CA_FILE, CERTIFICATE_FILE, KEY_FILE):
        try:
            (directory / name).read_bytes()
        except OSError as error:
            raise WorkbookError(
                f"--certificates {directory}: {name} cannot be read: {error.strerror}",
                hint=f"put {CA_FILE}, {CERTIFICATE_FILE} and {KEY_FILE} there; docs/sweep.md says how to make them",
            ) from None
