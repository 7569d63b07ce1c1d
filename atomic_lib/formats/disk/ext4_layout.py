"""Superblock and block groups of an ext4 file system, and the blocks that these take.

Format: the Linux kernel's Documentation/filesystems/ext4 (super block, block group descriptors).
Why no library: see ext4.py.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from atomic_lib.base.errors import WorkbookError

SUPERBLOCK_OFFSET = 1024
_SUPER_BYTES, _MAGIC = 1024, 0xEF53
# filetype, extents, 64bit, flex_bg, csum_seed; others change where things are.
_KNOWN_INCOMPATIBLE = 0x2 | 0x40 | 0x80 | 0x200 | 0x2000
_FILETYPE = 0x2
_SPARSE_SUPER, _BIGALLOC = 0x1, 0x200
_SPARSE_SUPER2 = 0x200
_INODES_UNUSED, _BLOCKS_UNUSED = 1, 2
_LONG_DESCRIPTOR = 64
_BLOCK_SHIFT_MOST, _INODE_BYTES_LEAST = 6, 128
SUPERBLOCK_FIELDS: Mapping[int, str] = {
    0x0C: "free blocks", 0x10: "free inodes", 0x2C: "time of the last mount", 0x30: "time of the last write",
    0x34: "mounts", 0x3A: "state", 0x40: "time of the last check", 0x68: "UUID", 0x78: "volume name",
    0x88: "last mounted on", 0xD0: "journal UUID", 0xEC: "hash seed", 0x108: "time it was made",
    0x178: "written so far", 0x3FC: "checksum",
}  # fmt: skip
"""Fields of the superblock in which two builds may differ, by the offset at which each begins."""


class DiskBytes(Protocol):
    """The bytes of a disk: those of a file that is mapped, or of a state that the disk could have."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: slice, /) -> bytes: ...


@dataclass(frozen=True)
class Group:
    """One block group. ``inodes_used_most``: at most so many of its inodes are in use, from the first on."""

    first_block: int
    block_count: int
    first_inode: int
    inodes_used_most: int
    block_bitmap: int
    inode_bitmap: int
    inode_table: int
    inodes_unused: bool
    blocks_unused: bool


@dataclass(frozen=True)
class Layout:
    """Where the parts of a file system are; ``metadata``: the blocks of its tables, as runs."""

    name: str
    start: int
    block_bytes: int
    block_count: int
    inode_bytes: int
    journal_inode: int
    orphan_inode: int
    groups: tuple[Group, ...]
    metadata: tuple[tuple[int, int, str], ...]

    def block(self, disk: DiskBytes, number: int) -> bytes:
        """The content of one block."""
        if not 0 <= number < self.block_count:
            raise self.damaged(f"block {number} is past its end at {self.block_count}")
        offset = self.start + number * self.block_bytes
        return disk[offset : offset + self.block_bytes]

    def inode_block(self, number: int) -> int:
        """The block in which an inode stands."""
        group, index = divmod(number - 1, self.inodes_per_group)
        return self.groups[group].inode_table + index * self.inode_bytes // self.block_bytes

    @property
    def inodes_per_group(self) -> int:
        """How many inodes each group has."""
        return self.groups[1].first_inode - 1 if len(self.groups) > 1 else 1 << 32

    def damaged(self, what: str) -> WorkbookError:
        """The error for a file system that is not as it should be."""
        return WorkbookError(f"{self.name}: its ext4 file system is damaged: {what}", hint="e2fsck -fn shows more")


def read_layout(disk: DiskBytes, start: int, end: int, name: str) -> Layout:
    """The layout of the file system between two bytes of a disk image; raises WorkbookError naming ``name``."""
    raw = disk[start + SUPERBLOCK_OFFSET : start + SUPERBLOCK_OFFSET + _SUPER_BYTES]
    if len(raw) < _SUPER_BYTES or struct.unpack_from("<H", raw, 0x38)[0] != _MAGIC:
        raise WorkbookError(f"{name}: no ext4 file system at byte {start}: not a disk image of this workbook")
    compatible, incompatible, read_only = struct.unpack_from("<III", raw, 0x5C)
    if (
        incompatible & ~_KNOWN_INCOMPATIBLE
        or not incompatible & _FILETYPE
        or read_only & _BIGALLOC
        or compatible & _SPARSE_SUPER2
    ):
        raise WorkbookError(
            f"{name}: an ext4 file system with features that the workbook does not use: "
            f"{compatible:#x}, {incompatible:#x}, {read_only:#x}"
        )
    block_shift, per_group, inodes_per_group = (struct.unpack_from("<I", raw, place)[0] for place in (0x18, 0x20, 0x28))
    inode_bytes = struct.unpack_from("<H", raw, 0x58)[0]
    if block_shift > _BLOCK_SHIFT_MOST or not per_group or not inodes_per_group or inode_bytes < _INODE_BYTES_LEAST:
        raise WorkbookError(f"{name}: its ext4 file system is damaged: impossible sizes in its superblock")
    block_bytes = 1024 << block_shift
    block_count = struct.unpack_from("<I", raw, 0x4)[0] | struct.unpack_from("<I", raw, 0x150)[0] << 32
    if start + block_count * block_bytes > end:
        raise WorkbookError(f"{name}: cut off: the file system has {block_count * block_bytes} bytes, "
                            f"its partition {end - start}")  # fmt: skip
    groups, metadata = _groups(disk, start, raw, block_bytes, block_count, sparse=bool(read_only & _SPARSE_SUPER))
    journal, orphan = struct.unpack_from("<I", raw, 0xE0)[0], struct.unpack_from("<I", raw, 0x280)[0]
    return Layout(name, start, block_bytes, block_count, inode_bytes, journal, orphan, groups, metadata)


def _groups(
    disk: DiskBytes, start: int, raw: bytes, block_bytes: int, block_count: int, *, sparse: bool
) -> tuple[tuple[Group, ...], tuple[tuple[int, int, str], ...]]:
    first_data = struct.unpack_from("<I", raw, 0x14)[0]
    per_group, inodes_per_group = struct.unpack_from("<I", raw, 0x20)[0], struct.unpack_from("<I", raw, 0x28)[0]
    inode_bytes, descriptor_bytes = struct.unpack_from("<H", raw, 0x58)[0], struct.unpack_from("<H", raw, 0xFE)[0] or 32
    count = -(-(block_count - first_data) // per_group)
    descriptor_blocks = -(-count * descriptor_bytes // block_bytes)
    table_blocks = -(-inodes_per_group * inode_bytes // block_bytes)
    groups, metadata = [], []
    for number in range(count):
        first = first_data + number * per_group
        offset = start + (first_data + 1) * block_bytes + number * descriptor_bytes
        descriptor = disk[offset : offset + descriptor_bytes].ljust(_LONG_DESCRIPTOR, b"\0")
        low = struct.unpack_from("<III", descriptor)
        high = struct.unpack_from("<III", descriptor, 0x20)
        flags, unused = struct.unpack_from("<H", descriptor, 0x12)[0], struct.unpack_from("<H", descriptor, 0x1C)[0]
        block_bitmap, inode_bitmap, table = (part | above << 32 for part, above in zip(low, high, strict=True))
        groups.append(
            Group(
                first, min(per_group, block_count - first), number * inodes_per_group + 1, inodes_per_group - unused,
                block_bitmap, inode_bitmap, table, bool(flags & _INODES_UNUSED), bool(flags & _BLOCKS_UNUSED),
            )
        )  # fmt: skip
        metadata += [(block_bitmap, 1), (inode_bitmap, 1), (table, table_blocks)]
        if not sparse or _has_copy(number):
            metadata.append((first, 1 + descriptor_blocks))
    return tuple(groups), tuple((first, length, "file-system") for first, length in metadata)


def _has_copy(group: int) -> bool:
    """Whether a group has a copy of the superblock: 0, 1, and the powers of 3, 5 and 7."""
    if group <= 1:
        return True
    for base in (3, 5, 7):
        power = base
        while power < group:
            power *= base
        if power == group:
            return True
    return False
