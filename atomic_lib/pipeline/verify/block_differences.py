"""Compares two disk images block by block, and says what each differing block contains.

Formats: UEFI specification (GPT); Microsoft's FAT specification (boot sector, directory
entries); the Linux kernel's Documentation/filesystems/ext4 (superblock, inodes).
"""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4 import Ext4, read_ext4
from atomic_lib.formats.disk.extents import allocated_ranges
from atomic_lib.formats.disk.gpt import BOOT_CODE_BYTES, Partition, read_partition_table

BLOCK_BYTES = 4096
_SUPER_OFFSET = 1024
_FAT_ENTRY_BYTES = 32
# Fields by offset; ``_value`` formats those whose names say that they are times.
_SUPERBLOCK = {
    0x0C: "free blocks", 0x10: "free inodes", 0x2C: "time of the last mount", 0x30: "time of the last write",
    0x34: "mounts", 0x3A: "state", 0x40: "time of the last check", 0x68: "UUID", 0x78: "volume name",
    0x88: "last mounted on", 0xD0: "journal UUID", 0xEC: "hash seed", 0x108: "time it was made",
    0x178: "written so far", 0x3FC: "checksum",
}  # fmt: skip
_INODE = {
    0x00: "mode", 0x02: "owner", 0x04: "size", 0x08: "access time", 0x0C: "change time", 0x10: "modification time",
    0x14: "deletion time", 0x18: "group", 0x1A: "links", 0x1C: "blocks", 0x20: "flags", 0x24: "version",
    0x28: "block map", 0x64: "generation", 0x68: "attributes block", 0x6C: "size", 0x74: "blocks",
    0x76: "attributes block", 0x78: "owner", 0x7A: "group", 0x7C: "checksum", 0x80: "extra size", 0x82: "checksum",
    0x84: "change time, finer part", 0x88: "modification time, finer part", 0x8C: "access time, finer part",
    0x90: "creation time", 0x94: "creation time, finer part", 0x98: "version", 0xA0: "extended attributes",
}  # fmt: skip
_FAT_ENTRY = {0x00: "name", 0x0B: "attributes", 0x0D: "creation time", 0x0E: "creation time", 0x10: "creation date",
              0x12: "access date", 0x14: "first cluster", 0x16: "write time", 0x18: "write date",
              0x1A: "first cluster", 0x1C: "size"}  # fmt: skip
_CHECKSUM = "checksum"


def differing_blocks(left: Path, right: Path) -> list[int]:
    """The offsets of all blocks of 4 KiB that differ; blocks that only one image has count as differing."""
    found = []
    with open(left, "rb") as one, open(right, "rb") as other:
        for start, end in _joined([*allocated_ranges(left), *allocated_ranges(right)]):
            for offset in range(start - start % BLOCK_BYTES, end, 1 << 20):
                one.seek(offset)
                other.seek(offset)
                size = min(1 << 20, -(-(end - offset) // BLOCK_BYTES) * BLOCK_BYTES)
                a, b = one.read(size), other.read(size)
                if a != b:
                    blocks = range(0, max(len(a), len(b)), BLOCK_BYTES)
                    found += [offset + at for at in blocks if a[at : at + BLOCK_BYTES] != b[at : at + BLOCK_BYTES]]
    return sorted(set(found))


def _joined(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The ranges sorted, with overlapping and adjacent ones merged."""
    start = end = -1
    for first, last in sorted(ranges):
        if first > end:
            if end > start:
                yield start, end
            start, end = first, last
        else:
            end = max(end, last)
    if end > start:
        yield start, end


def described_blocks(left: Path, right: Path, blocks: Iterable[int]) -> Iterator[str]:
    """One or more lines for each block: what it contains, and which part of that differs.

    Raises WorkbookError if an image is not one of this workbook.
    """
    with ExitStack() as files:
        one, other = (files.enter_context(_mapped(path)) for path in (left, right))
        if len(one) != len(other):
            yield f"the disks have {len(one)} and {len(other)} bytes"
            return
        disk = _DiskMap(one, str(left))
        for block in blocks:
            end = min(block + BLOCK_BYTES, len(one))
            yield from disk.described(block, one[block:end], other[block:end])


def _mapped(path: Path) -> mmap:
    with open(path, "rb") as file:
        return mmap(file.fileno(), 0, access=ACCESS_READ)


class _DiskMap:
    """What the blocks of a disk contain."""

    def __init__(self, disk: mmap, name: str) -> None:
        self._disk = disk
        self._table = read_partition_table(disk, name)
        root = next((part for part in self._table.partitions if part.name == "root"), None)
        if root is None:
            raise WorkbookError(f"{name}: not a disk image of this workbook: it has no partition named root")
        self._files: Ext4 = read_ext4(disk, root.start, root.end, name)
        self._starts = [run[0] for run in self._files.runs]
        self._paths = {number: path or "/" for path, number in self._files.directories.items()}
        self._paths |= {number: names[0] for number, names in self._files.names.items()}

    def described(self, block: int, a: bytes, b: bytes) -> Iterator[str]:
        """What differs between two versions of one block."""
        partition = next((part for part in self._table.partitions if part.start <= block < part.end), None)
        if partition is None:
            at = block + _first(a, b)
            yield "the boot code of the disk" if at < BOOT_CODE_BYTES else f"the partition table, byte {at}"
        elif partition.name == "root":
            yield from self._root(block, a, b)
        elif self._disk[partition.start + 82 : partition.start + 87] == b"FAT32":
            yield from self._fat(partition, block, a, b)
        else:
            yield f"partition {partition.name}, byte {block + _first(a, b) - partition.start}"

    def _root(self, block: int, a: bytes, b: bytes) -> Iterator[str]:
        layout = self._files.layout
        number = (block - layout.start) // layout.block_bytes
        for group in layout.groups:
            table_blocks = -(-(group.inodes_used_most * layout.inode_bytes) // layout.block_bytes)
            if group.inode_table <= number < group.inode_table + table_blocks:
                start = layout.start + group.inode_table * layout.block_bytes
                yield from self._inodes(group.first_inode + (block - start) // layout.inode_bytes, a, b)
                return
            if number in (group.block_bitmap, group.inode_bitmap):
                yield f"root: which {'blocks' if number == group.block_bitmap else 'inodes'} are used"
                return
        if block == layout.start:
            yield from _fields("root: superblock: ", _SUPERBLOCK, a[_SUPER_OFFSET:], b[_SUPER_OFFSET:])
            return
        first, count, label = self._files.runs[max(0, bisect_right(self._starts, number) - 1)]
        if not first <= number < first + count:
            yield f"root: block {number}, which no file has"
        elif isinstance(label, int):
            yield f"root: content of {self._paths.get(label, f'inode {label}')}"
        else:
            yield f"root: {label}, block {number}, byte {_first(a, b)}"

    def _inodes(self, first: int, a: bytes, b: bytes) -> Iterator[str]:
        size = self._files.layout.inode_bytes
        for at in range(0, len(a), size):
            one, other = a[at : at + size], b[at : at + size]
            if one != other:
                number = first + at // size
                path = self._paths.get(number, "a reserved inode")
                yield from _fields(f"root: inode {number} ({path}): ", _INODE, one, other)

    def _fat(self, partition: Partition, block: int, a: bytes, b: bytes) -> Iterator[str]:
        head = self._disk[partition.start : partition.start + 64]
        sector, reserved, copies = *struct.unpack_from("<H", head, 11), *struct.unpack_from("<HB", head, 14)
        tables = reserved * sector
        data = tables + copies * struct.unpack_from("<I", head, 36)[0] * sector
        at = block - partition.start + _first(a, b)
        if at < tables:
            yield f"esp: its boot sectors, byte {at}"
        elif at < data:
            yield f"esp: its allocation table, byte {at}"
        else:
            yield from list(fat_differences(a, b)) or [f"esp: content, byte {at}"]


def fat_differences(a: bytes, b: bytes) -> Iterator[str]:
    """The fields, except the name, that differ in the first differing FAT directory entry; empty if there is none."""
    for at in range(0, len(a), _FAT_ENTRY_BYTES):
        one, other = a[at : at + _FAT_ENTRY_BYTES], b[at : at + _FAT_ENTRY_BYTES]
        if one != other:
            name = one[:11].decode("ascii", errors="replace")
            if one[:11] == other[:11] and name.isprintable() and name.strip():
                yield from _fields(f"esp: directory entry {name.strip()!r}: ", _FAT_ENTRY, one, other)
            return


def _first(a: bytes, b: bytes) -> int:
    """The offset of the first byte that differs."""
    return next((at for at, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), 0)


def _fields(head: str, fields: dict[int, str], a: bytes, b: bytes) -> Iterator[str]:
    """The named fields that differ; a checksum only if nothing else differs."""
    starts = sorted(fields)
    found = {}
    for at, (one, other) in enumerate(zip(a, b, strict=True)):
        if one != other:
            start = starts[bisect_right(starts, at) - 1] if at >= starts[0] else at
            found[start] = fields.get(start, f"byte {at}")
    shown = {start: name for start, name in found.items() if name != _CHECKSUM} or found
    for start, name in shown.items():
        yield f"{head}{name}: {_value(name, a, start)} ≠ {_value(name, b, start)}"


def _value(name: str, raw: bytes, start: int) -> str:
    if (
        name.startswith(("time ", "access time", "change time", "modification time", "creation time"))
        and len(raw) >= 128
    ):
        seconds = struct.unpack_from("<I", raw, start)[0]
        if "finer" not in name:
            return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
        return str(seconds)
    return raw[start : start + 16 if name.endswith(("UUID", "seed", "name")) else start + 4].hex()
