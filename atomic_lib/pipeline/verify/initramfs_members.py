"""What is in an initramfs, member by member.

Format: the kernel's driver-api/early-userspace/buffer-format: cpio archives ("newc"), plain
or compressed, one after the other.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.tools.sandbox import Bind, Tools

MAGIC = b"07070"
_COMPRESSED = (b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"\xfd7zXZ\0")
_HEADER_BYTES, _FIELDS = 110, 13
_END = "TRAILER!!!"


def is_initramfs(path: str) -> bool:
    """Whether a path is one's by its name."""
    return path.rpartition("/")[2].startswith("initramfs")


def members_of(data: bytes, tools: Tools) -> dict[str, str]:
    """What each member is, as text: type and mode, owner, time, links, size and digest; in the order of the archive.

    Raises WorkbookError for what is no such archive.
    """
    found: dict[str, str] = {}
    rest = data
    while rest := rest.lstrip(b"\0"):
        if rest.startswith(_COMPRESSED):
            rest = _decompressed(rest, tools)
        elif rest.startswith(MAGIC):
            rest = rest[_read(rest, found) :]
        else:
            raise WorkbookError("no initramfs: neither a cpio archive nor compressed")
    return found


def _decompressed(data: bytes, tools: Tools) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "packed").write_bytes(data)
        tools.run(
            ["zstd", "--quiet", "--decompress", "/mnt/work/packed", "-o", "/mnt/work/plain"],
            binds=[Bind(Path(scratch), "/mnt/work", writable=True)],
        )
        return (Path(scratch) / "plain").read_bytes()


def _read(data: bytes, found: dict[str, str]) -> int:
    """Read one archive into ``found``; returns its length."""
    place = 0
    for name, facts, place in _members(data):  # noqa: B007 - the last place is the result
        if name != _END:
            found[name] = facts
    return place


def _members(data: bytes) -> Iterator[tuple[str, str, int]]:
    """Each member with where the next one begins."""
    place, name = 0, ""
    while name != _END:
        head = data[place : place + _HEADER_BYTES]
        if len(head) < _HEADER_BYTES or not head.startswith(MAGIC):
            raise WorkbookError("an initramfs that is cut off or damaged")
        numbers = [int(head[6 + 8 * at : 14 + 8 * at], 16) for at in range(_FIELDS)]
        _, mode, uid, gid, links, seconds, size, *_, length, _ = numbers
        name_start = place + _HEADER_BYTES
        name = data[name_start : name_start + length - 1].decode(errors="surrogateescape")
        start = -(-(name_start + length) // 4) * 4
        digest = hashlib.sha256(data[start : start + size]).hexdigest()[:16] if size else "-"
        place = -(-(start + size) // 4) * 4
        yield name, f"mode {mode:o}, owner {uid}:{gid}, time {seconds}, links {links}, {size} bytes, {digest}", place
