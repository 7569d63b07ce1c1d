"""The ext4 file system inside a disk image, read without mounting it: which file owns each block.

Format: the Linux kernel's Documentation/filesystems/ext4. Every block in use must have exactly
one owner; otherwise the file system is reported as damaged.

No library: dissect.extfs (AGPL) and ext4 (MIT) read files and their extents, but do not say which
blocks metadata takes or check owners against the bitmaps; ext4 also pins exact versions of its
dependencies.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from atomic_lib.formats.disk.ext4_inode import DIRECTORY, FILE, LINK, Extent, Inode
from atomic_lib.formats.disk.ext4_layout import DiskBytes, Group, Layout, read_layout
from atomic_lib.formats.disk.ext4_names import read_names

FILE_SYSTEM = "file-system"
JOURNAL = "journal"
DIRECTORIES = "directories"
_RESIZE_INODE = 7
_EXTENTS, _INLINE_DATA = 0x80000, 0x10000000
_EXTENT_MAGIC = 0xF30A
_WRITTEN_MOST = 32768
_DIRECT_POINTERS = 12
_BITS = tuple(bytes(value >> bit & 1 for bit in range(8)) for value in range(256))

Label = str | int
Run = tuple[int, int, Label]
"""Consecutive blocks: the first, how many, and the owner: an inode number, or one of the names above."""


@dataclass(frozen=True)
class Ext4:
    """A file system. ``runs``: all used blocks in order; ``names``: the paths of each inode except directories.

    ``directories``: the inode of each directory by path; the path of the root is empty.
    """

    layout: Layout
    runs: tuple[Run, ...]
    inodes: Mapping[int, Inode]
    names: Mapping[int, tuple[str, ...]]
    directories: Mapping[str, int]
    heads: Mapping[int, bytes]
    """The first bytes (at most 256) of each regular file that has any."""

    @property
    def start(self) -> int:
        """Where on the disk it begins, in bytes."""
        return self.layout.start

    @property
    def block_bytes(self) -> int:
        """The size of a block."""
        return self.layout.block_bytes


def read_ext4(disk: DiskBytes, start: int, end: int, name: str) -> Ext4:
    """Read the ext4 file system between two bytes of a disk image.

    Raises WorkbookError naming the image (``name``): no ext4, cut off, a feature that the
    workbook does not use, a used block with no owner or with two, or a file whose names or
    type contradict its inode.
    """
    layout = read_layout(disk, start, end, name)
    reader = InodeReader(disk, layout)
    try:
        inodes = {inode.number: inode for inode in reader.inodes()}
        names, directories = read_names(disk, layout, inodes)
        runs = tuple(sorted([*layout.metadata, *reader.runs], key=lambda run: run[:2]))
    except (struct.error, IndexError, KeyError, RecursionError) as error:
        raise layout.damaged(f"it points outside itself ({error})") from None
    _require_whole(disk, layout, runs)
    heads = {
        inode.number: layout.block(disk, inode.data[0][1])[: min(256, inode.size_bytes)]
        for inode in inodes.values()
        if inode.kind == FILE and inode.number in names and inode.data and inode.data[0][::3] == (0, True)
    }
    return Ext4(layout, runs, inodes, names, directories, heads)


class InodeReader:
    """Reads inodes and collects the blocks of each in ``runs``."""

    def __init__(self, disk: DiskBytes, layout: Layout) -> None:
        self._disk, self.layout = disk, layout
        self.runs: list[Run] = []
        self._attributes: set[int] = set()

    def inodes(self) -> Iterator[Inode]:
        """Every inode in use that has a type, and the reserved ones that have blocks."""
        for group in self.layout.groups:
            bitmap = b"" if group.inodes_unused else self.block(group.inode_bitmap)
            for index in range(0 if group.inodes_unused else group.inodes_used_most):
                if bitmap[index >> 3] >> (index & 7) & 1:
                    yield self._inode(group, index)

    def inode(self, number: int) -> Inode:
        """The inode of this number, in use or not."""
        group, index = divmod(number - 1, self.layout.inodes_per_group)
        if not 0 <= group < len(self.layout.groups):
            raise self.layout.damaged(f"there is no inode {number}")
        return self._inode(self.layout.groups[group], index)

    def block(self, number: int) -> bytes:
        """The content of one block."""
        return self.layout.block(self._disk, number)

    def _inode(self, group: Group, index: int) -> Inode:
        number = group.first_inode + index
        offset = self.layout.start + group.inode_table * self.layout.block_bytes + index * self.layout.inode_bytes
        raw = self._disk[offset : offset + self.layout.inode_bytes]
        mode, size_low, flags = *struct.unpack_from("<H2xI", raw), struct.unpack_from("<I", raw, 0x20)[0]
        acl = struct.unpack_from("<I", raw, 0x68)[0] | struct.unpack_from("<H", raw, 0x76)[0] << 32
        size_bytes = size_low | struct.unpack_from("<I", raw, 0x6C)[0] << 32
        if flags & _INLINE_DATA:
            raise self.layout.damaged(f"inode {number} has inline data, which is not supported")
        if acl and acl not in self._attributes:
            self._attributes.add(acl)
            self.runs.append((acl, 1, FILE_SYSTEM))
        kind = mode >> 12
        label = self._label(number, kind)
        pointers = raw[0x28 : 0x28 + 60]
        if flags & _EXTENTS:
            data = tuple(self._extents(pointers, number))
        elif kind == LINK or kind not in (0, FILE, DIRECTORY):  # the target, or a device's number, is in the inode
            data = ()
        else:
            data = tuple(self._mapped(struct.unpack("<15I", pointers)))
        self.runs += [(first, count, label) for _, first, count, _ in data]
        return Inode(number, kind, size_bytes, tuple(sorted(data)), acl, raw)

    def _label(self, number: int, kind: int) -> Label:
        if number == self.layout.journal_inode:
            return JOURNAL
        if number in (_RESIZE_INODE, self.layout.orphan_inode):
            return FILE_SYSTEM
        return DIRECTORIES if kind == DIRECTORY else number

    def _extents(self, node: bytes, number: int) -> Iterator[Extent]:
        magic, count, _, depth = struct.unpack_from("<4H", node)
        if magic != _EXTENT_MAGIC:
            raise self.layout.damaged(f"inode {number} has no extent tree")
        for place in range(12, 12 + 12 * count, 12):
            if depth == 0:
                logical, length, high, low = struct.unpack_from("<IHHI", node, place)
                written = length <= _WRITTEN_MOST
                yield logical, high << 32 | low, length if written else length - _WRITTEN_MOST, written
            else:
                _, low, high = struct.unpack_from("<IIH", node, place)
                self.runs.append((high << 32 | low, 1, FILE_SYSTEM))
                yield from self._extents(self.block(high << 32 | low), number)

    def _mapped(self, pointers: tuple[int, ...]) -> Iterator[Extent]:
        """The blocks of an inode that lists them one by one, as the resize inode does."""
        per_block = self.layout.block_bytes // 4
        logical = 0
        for place, pointer in enumerate(pointers):
            level = max(0, place - _DIRECT_POINTERS + 1)
            yield from self._pointed(pointer, level, logical)
            logical += per_block**level

    def _pointed(self, pointer: int, level: int, logical: int) -> Iterator[Extent]:
        if not pointer:
            return
        if level == 0:
            yield logical, pointer, 1, True
            return
        self.runs.append((pointer, 1, FILE_SYSTEM))
        per_block = self.layout.block_bytes // 4
        for place, below in enumerate(struct.unpack(f"<{per_block}I", self.block(pointer))):
            if below:  # most are not, in the half a million of the resize inode
                yield from self._pointed(below, level - 1, logical + place * per_block ** (level - 1))


def _require_whole(disk: DiskBytes, layout: Layout, runs: tuple[Run, ...]) -> None:
    """Refuse a block with two owners, a used one without an owner, and a free one with an owner."""
    for (first, count, label), (following, _, other) in pairwise(runs):
        if first + count > following:
            raise layout.damaged(f"block {following} has two owners: {label} and {other}")
    owned = bytearray(layout.block_count)
    for first, count, _ in runs:
        if first + count > layout.block_count:
            raise layout.damaged(f"block {first + count - 1} is past its end at {layout.block_count}")
        owned[first : first + count] = b"\1" * count
    for group in layout.groups:
        if group.blocks_unused:  # only what the layout implies is in use; there is no bitmap to compare with
            continue
        used = b"".join(map(_BITS.__getitem__, layout.block(disk, group.block_bitmap)))[: group.block_count]
        if used != owned[group.first_block : group.first_block + group.block_count]:
            place = next(i for i, bit in enumerate(used) if bit != owned[group.first_block + i])
            state = "in use, but has no owner" if used[place] else "free, but has an owner"
            raise layout.damaged(f"block {group.first_block + place} is {state}")
