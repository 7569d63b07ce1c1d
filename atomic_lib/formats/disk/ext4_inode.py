"""An ext4 inode: type, permissions, owners, size, links and extended attributes of a file.

Format: the Linux kernel's Documentation/filesystems/ext4 (inodes.rst, attributes.rst).
Why no library: see ext4.py.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

DIRECTORY, FILE, LINK = 0o04, 0o10, 0o12
_CHARACTER_DEVICE, _BLOCK_DEVICE = 0o02, 0o06
_GOOD_OLD_BYTES = 128
_ATTRIBUTES_MAGIC = 0xEA020000
_ATTRIBUTES_HEAD_BYTES = 32
_PREFIXES = {0: "", 1: "user.", 2: "system.posix_acl_access", 3: "system.posix_acl_default", 4: "trusted.",
             6: "security.", 7: "system.", 8: "system.richacl"}  # fmt: skip
_ENTRY = struct.Struct("<BBHIII")
_INLINE_TARGET_BYTES = 60
INODE_FIELDS: Mapping[int, str] = {
    0x00: "mode", 0x02: "owner", 0x04: "size", 0x08: "access time", 0x0C: "change time", 0x10: "modification time",
    0x14: "deletion time", 0x18: "group", 0x1A: "links", 0x1C: "blocks", 0x20: "flags", 0x24: "version",
    0x28: "block map", 0x64: "generation", 0x68: "attributes block", 0x6C: "size", 0x74: "blocks",
    0x76: "attributes block", 0x78: "owner", 0x7A: "group", 0x7C: "checksum", 0x80: "extra size", 0x82: "checksum",
    0x84: "change time, finer part", 0x88: "modification time, finer part", 0x8C: "access time, finer part",
    0x90: "creation time", 0x94: "creation time, finer part", 0x98: "version", 0xA0: "extended attributes",
}  # fmt: skip
"""The fields of an inode by the offset at which each begins."""

Extent = tuple[int, int, int, bool]
"""Consecutive blocks of a file: the first in the file, the first on the disk, how many, and whether written.

Blocks that are allocated but not written read as zeros.
"""


@dataclass(frozen=True)
class Inode:
    """One file: its size, and its data in the order of the file; ``raw`` is the inode as it is on the disk."""

    number: int
    kind: int
    size_bytes: int
    data: tuple[Extent, ...]
    attributes_block: int
    raw: bytes

    @property
    def mode(self) -> int:
        """The permission bits, with set-uid, set-gid and sticky."""
        return self._number(0x0, 2) & 0o7777

    @property
    def uid(self) -> int:
        """The number of the owner."""
        return self._number(0x2, 2) | self._number(0x78, 2) << 16

    @property
    def gid(self) -> int:
        """The number of the group."""
        return self._number(0x18, 2) | self._number(0x7A, 2) << 16

    @property
    def links(self) -> int:
        """The link count: names of a file; of a directory also ``.``, and ``..`` of each subdirectory."""
        return self._number(0x1A, 2)

    @property
    def device(self) -> tuple[int, int] | None:
        """The major and minor number of a device node."""
        if self.kind not in (_CHARACTER_DEVICE, _BLOCK_DEVICE):
            return None
        old, new = self._number(0x28, 2), self._number(0x2C, 4)
        if old:
            return old >> 8, old & 0xFF
        return (new & 0xFFF00) >> 8, new & 0xFF | new >> 12 & 0xFFF00

    @property
    def inline_target(self) -> bytes | None:
        """The target of a symbolic link that is short enough to stand in the inode."""
        short = self.kind == LINK and not self.data and self.size_bytes < _INLINE_TARGET_BYTES
        return self.raw[0x28 : 0x28 + self.size_bytes] if short else None

    def attributes(self, block: bytes) -> dict[str, bytes]:
        """Its extended attributes: those in the inode, and those in ``block``, its attributes block (or empty).

        Raises ValueError or struct.error where they are damaged.
        """
        found: dict[str, bytes] = {}
        if len(self.raw) > _GOOD_OLD_BYTES:
            start = _GOOD_OLD_BYTES + self._number(0x80, 2)
            if self.raw[start : start + 4] == struct.pack("<I", _ATTRIBUTES_MAGIC):
                area = self.raw[start + 4 :]
                found.update(_attributes(area, 0))
        if block:
            if block[:4] != struct.pack("<I", _ATTRIBUTES_MAGIC):
                raise ValueError("its attribute block has another magic number")
            found.update(_attributes(block, _ATTRIBUTES_HEAD_BYTES))
        return found

    def _number(self, offset: int, count: int) -> int:
        return int.from_bytes(self.raw[offset : offset + count], "little")


def _attributes(area: bytes, place: int) -> Iterator[tuple[str, bytes]]:
    """The attributes of a list that begins at ``place``; where a value is counts from the start of ``area``."""
    while area[place : place + 4].strip(b"\0"):
        length, prefix, offset, outside, size, _ = _ENTRY.unpack_from(area, place)
        name = area[place + _ENTRY.size : place + _ENTRY.size + length]
        if prefix not in _PREFIXES or outside or offset + size > len(area):
            raise ValueError(f"the attribute {name!r} is damaged, or stored in a way that is not supported")
        yield _PREFIXES[prefix] + name.decode(errors="surrogateescape"), area[offset : offset + size]
        place += _ENTRY.size + (length + 3 & ~3)
