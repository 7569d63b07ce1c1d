"""The blocks in which two disk images differ, and what each holds: for differences outside the files."""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from atomic_lib.formats.disk.ext4_inode import INODE_FIELDS
from atomic_lib.formats.disk.ext4_layout import SUPERBLOCK_FIELDS, SUPERBLOCK_OFFSET
from atomic_lib.formats.disk.extents import allocated_ranges
from atomic_lib.formats.disk.fat import (
    DIRECTORY_ENTRY_BYTES,
    DIRECTORY_ENTRY_FIELDS,
    FAT_HEAD_BYTES,
    SHORT_NAME_BYTES,
    FatLayout,
    read_fat_layout,
)
from atomic_lib.formats.disk.gpt import BOOT_CODE_BYTES
from atomic_lib.formats.disk.raw_disk import RawDisk, open_disk_file, open_raw_disk

BLOCK_BYTES = 4096
_CHECKSUM = "checksum"


def differing_blocks(left: Path, right: Path) -> list[int]:
    """The offsets of all blocks of 4 KiB that differ; blocks that only one image has differ."""
    found = []
    with open(left, "rb") as one, open(right, "rb") as other:
        for start, end in _joined([*allocated_ranges(left), *allocated_ranges(right)]):
            for place in range(start - start % BLOCK_BYTES, end, 1 << 20):
                one.seek(place)
                other.seek(place)
                size = min(1 << 20, -(-(end - place) // BLOCK_BYTES) * BLOCK_BYTES)
                a, b = one.read(size), other.read(size)
                if a != b:
                    blocks = range(0, max(len(a), len(b)), BLOCK_BYTES)
                    found += [place + at for at in blocks if a[at : at + BLOCK_BYTES] != b[at : at + BLOCK_BYTES]]
    return sorted(set(found))


def _joined(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
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
    """One line or more for each block: what it holds, and how it differs."""
    with open_raw_disk(left) as one, open_disk_file(right) as other:
        if len(one.data) != len(other):
            yield f"the disks have {len(one.data)} and {len(other)} bytes"
            return
        places = _Places(one)
        for block in blocks:
            end = min(block + BLOCK_BYTES, len(other))
            yield from places.described(block, one.data[block:end], other[block:end])


class _Places:
    """What each block of a disk holds."""

    def __init__(self, disk: RawDisk) -> None:
        self._disk, self._table, self._files = disk.data, disk.table, disk.files
        self._starts = [run[0] for run in self._files.runs]
        self._paths = {number: path or "/" for path, number in self._files.directories.items()}
        self._paths |= {number: names[0] for number, names in self._files.names.items()}

    def described(self, block: int, a: bytes, b: bytes) -> Iterator[str]:
        """The differences between the two contents of one block."""
        partition = next((part for part in self._table.partitions if part.start <= block < part.end), None)
        if partition is None:
            at = block + _first(a, b)
            yield "the boot code of the disk" if at < BOOT_CODE_BYTES else f"the partition table, byte {at}"
        elif partition.name == "root":
            yield from self._root(block, a, b)
        elif fat := read_fat_layout(self._disk[partition.start : partition.start + FAT_HEAD_BYTES]):
            yield from _fat_block(fat, block - partition.start, a, b)
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
            yield from _fields("root: superblock: ", SUPERBLOCK_FIELDS, a[SUPERBLOCK_OFFSET:], b[SUPERBLOCK_OFFSET:])
            return
        first, count, label = self._files.runs[max(0, bisect_right(self._starts, number) - 1)]
        if not first <= number < first + count:
            yield f"root: block {number}, which no file owns"
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
                yield from _fields(f"root: inode {number} ({path}): ", INODE_FIELDS, one, other)


def _fat_block(fat: FatLayout, block: int, a: bytes, b: bytes) -> Iterator[str]:
    """The differences in a block of the ESP; ``block`` is its offset in the partition."""
    at = block + _first(a, b)
    if at < fat.tables_start:
        yield f"esp: its boot sectors, byte {at}"
    elif at < fat.data_start:
        yield f"esp: its allocation table, byte {at}"
    else:
        yield from list(fat_differences(a, b)) or [f"esp: content, byte {at}"]


def fat_differences(a: bytes, b: bytes) -> Iterator[str]:
    """The fields that differ in the first directory entry that differs, if its name is the same."""
    for at in range(0, len(a), DIRECTORY_ENTRY_BYTES):
        one, other = a[at : at + DIRECTORY_ENTRY_BYTES], b[at : at + DIRECTORY_ENTRY_BYTES]
        if one != other:
            name = one[:SHORT_NAME_BYTES].decode("ascii", errors="replace")
            if one[:SHORT_NAME_BYTES] == other[:SHORT_NAME_BYTES] and name.isprintable() and name.strip():
                yield from _fields(f"esp: directory entry {name.strip()!r}: ", DIRECTORY_ENTRY_FIELDS, one, other)
            return


def _first(a: bytes, b: bytes) -> int:
    """The offset of the first byte that differs."""
    return next((at for at, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), 0)


def _fields(head: str, fields: Mapping[int, str], a: bytes, b: bytes) -> Iterator[str]:
    """The fields that differ; checksums only if no other field does."""
    starts = sorted(fields)
    found = {}
    for at, (one, other) in enumerate(zip(a, b, strict=True)):
        if one != other:
            start = starts[bisect_right(starts, at) - 1] if at >= starts[0] else at
            found[start] = fields.get(start, f"byte {at}")
    told = {start: name for start, name in found.items() if name != _CHECKSUM} or found
    for start, name in told.items():
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
