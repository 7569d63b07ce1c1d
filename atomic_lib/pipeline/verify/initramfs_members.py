"""Lists the members of an initramfs.

Source of the format: the kernel's driver-api/early-userspace/buffer-format; a sequence of
cpio archives ("newc"), each plain or compressed.
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
    """Whether the name of a path is that of an initramfs."""
    return path.rpartition("/")[2].startswith("initramfs")


def members_of(data: bytes, tools: Tools) -> dict[str, str]:
    """Type and mode, owner, time, links, size and digest of each member as text, in the order of the archive.

    Raises WorkbookError if the data is not an initramfs or is truncated.
    """
    found: dict[str, str] = {}
    rest = data
    while rest := rest.lstrip(b"\0"):
        if rest.startswith(_COMPRESSED):
            rest = _decompressed(rest, tools)
        elif rest.startswith(MAGIC):
            rest = rest[_read(rest, found) :]
        else:
            raise WorkbookError("not an initramfs: neither a cpio archive nor compressed")
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
    end = 0
    for name, facts, end in _members(data):  # noqa: B007 - the end of the last member is the result
        if name != _END:
            found[name] = facts
    return end


def _members(data: bytes) -> Iterator[tuple[str, str, int]]:
    """Name and facts of each member, and the offset of the next one."""
    offset, name = 0, ""
    while name != _END:
        head = data[offset : offset + _HEADER_BYTES]
        if len(head) < _HEADER_BYTES or not head.startswith(MAGIC):
            raise WorkbookError("the initramfs is truncated or damaged")
        numbers = [int(head[6 + 8 * at : 14 + 8 * at], 16) for at in range(_FIELDS)]
        _, mode, uid, gid, links, seconds, size, *_, length, _ = numbers
        name_start = offset + _HEADER_BYTES
        name = data[name_start : name_start + length - 1].decode(errors="surrogateescape")
        start = -(-(name_start + length) // 4) * 4
        digest = hashlib.sha256(data[start : start + size]).hexdigest()[:16] if size else "-"
        offset = -(-(start + size) // 4) * 4
        yield name, f"mode {mode:o}, owner {uid}:{gid}, time {seconds}, links {links}, {size} bytes, {digest}", offset
