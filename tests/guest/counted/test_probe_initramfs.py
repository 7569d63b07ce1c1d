"""What a counted boot adds to the initramfs: the archive, the metadata service, the units."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.formats.cpio import Member, archive, link_to, text_file
from atomic_lib.guest.counted.probe_initramfs import PREFIX, counted_instance, probe_archive


def unpack(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Mode and data of every member, by path, in order; the last one is the end mark."""
    members: dict[str, tuple[int, bytes]] = {}
    offset = 0
    while offset < len(data):
        assert data[offset : offset + 6] == b"070701"
        numbers = [int(data[offset + 6 + 8 * index :][:8], 16) for index in range(13)]
        name = data[offset + 110 :][: numbers[11] - 1].decode()
        begin = -(-(offset + 110 + numbers[11]) // 4) * 4
        members[name] = (numbers[1], data[begin : begin + numbers[6]])
        offset = -(-(begin + numbers[6]) // 4) * 4
    return members


def lay_out(members: dict[str, tuple[int, bytes]], root: Path) -> None:
    for path, (mode, data) in members.items():
        if stat.S_ISDIR(mode):
            (root / path).mkdir(exist_ok=True)
        elif stat.S_ISLNK(mode):
            (root / path).symlink_to(data.decode())
        elif stat.S_ISREG(mode):
            (root / path).write_bytes(data)
            (root / path).chmod(stat.S_IMODE(mode))


def test_an_archive_has_directories_before_what_is_in_them() -> None:
    members = unpack(archive({"a/b/c": text_file("x", executable=True), "a/l": link_to("b/c"), "d": Member(b"12345")}))
    assert list(members) == ["a", "a/b", "a/b/c", "a/l", "d", "TRAILER!!!"]
    assert members["a/b/c"] == (stat.S_IFREG | 0o755, b"x")
    assert members["a/l"] == (stat.S_IFLNK | 0o777, b"b/c")
    assert members["d"] == (stat.S_IFREG | 0o644, b"12345")


def test_every_unit_of_the_probe_is_wanted_and_named_as_such(tmp_path: Path) -> None:
    units = {"planted.service": "[Service]\n"}
    lay_out(unpack(probe_archive(b"program", counted_instance(), units, {"burn": b"elf"})), tmp_path)
    links = sorted(path for path in tmp_path.rglob("*.wants/*"))
    assert [link.name for link in links] == [
        "counted-probe.service", "planted.service", "counted-metadata.service", "counted-copy.service",
    ]  # fmt: skip
    assert all(link.is_file() for link in links)
    assert [link.name for link in links if not link.name.startswith(PREFIX)] == list(units)
    assert (tmp_path / "counted/burn").read_bytes() == b"elf"
    assert os.access(tmp_path / "counted/burn", os.X_OK)


def test_a_guest_with_another_data_source_has_no_metadata_service() -> None:
    members = unpack(probe_archive(b"", None, {}, {}))
    assert [path for path in members if "tree" in path or "metadata.service" in path] == []
    assert "counted/units/counted-probe.service" in members


@pytest.fixture
def ask(tmp_path: Path) -> command.Completed:
    """The metadata service's script, on this host's tools instead of busybox."""
    lay_out(unpack(probe_archive(b"", counted_instance(), {}, {})), tmp_path)
    busybox = tmp_path / "counted/busybox"
    busybox.write_text('#!/bin/sh\nexec "$@"\n')
    busybox.chmod(0o755)
    script = tmp_path / "script"
    script.write_text((tmp_path / "counted/metadata").read_text().replace("/run/counted", str(tmp_path / "counted")))

    def request(line: str) -> tuple[str, str]:
        shell = shutil.which("dash") or "sh"
        text = f"{line} HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n"
        head, _, body = command.run([shell, script], input=text, timeout_seconds=20).stdout.partition("\r\n\r\n")
        assert f"Content-Length: {len(body)}\r\n" in head
        return head.splitlines()[0].split(" ", 1)[1], body

    return request  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("line", "status", "begin"),
    [
        ("PUT /latest/api/token", "200 OK", "AAAA"),
        ("GET /latest/meta-data/instance-id", "200 OK", "i-"),
        ("GET /2021-03-23/meta-data/public-keys/", "200 OK", "0="),
        ("GET /2009-04-04/meta-data/public-keys/0/openssh-key", "200 OK", "ssh-ed25519 "),
        ("GET /latest/user-data", "200 OK", "#!/bin/sh\n"),
        ("GET /latest/meta-data/", "200 OK", "ami-id\n"),
        ("GET /latest/dynamic/instance-identity", "200 OK", "document"),
        ("GET /latest/nothing", "404 Not Found", ""),
        ("GET /", "200 OK", "1.0\n"),
    ],
)
def test_the_metadata_service_answers(ask: object, line: str, status: str, begin: str) -> None:
    answered, body = ask(line)  # type: ignore[operator]
    assert answered == status
    assert body.startswith(begin)
    assert bool(body) == bool(begin)
