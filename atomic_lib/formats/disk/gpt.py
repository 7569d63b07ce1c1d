"""The GUID partition table of a disk image.

Format: UEFI specification, chapter 5. No library: dissect.volume (AGPL) checks neither that the
disk is whole nor that partitions do not overlap, and pyparted needs libparted on the host.
"""

import struct
from dataclasses import dataclass

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4_layout import DiskBytes

SECTOR_BYTES = 512
BOOT_CODE_BYTES = 440
"""The boot loader has the first bytes of the disk; the partition table has the rest of the sector."""
_HEADER = struct.Struct("<8s4sIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_MOST_ENTRIES = 1024


@dataclass(frozen=True)
class Partition:
    """One partition: its name, and where it starts and ends on the disk, in bytes."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class PartitionTable:
    """The partitions by offset; the table takes the disk before ``first_usable`` and from ``usable_end`` on."""

    partitions: tuple[Partition, ...]
    first_usable: int
    usable_end: int


def read_partition_table(disk: DiskBytes, name: str) -> PartitionTable:
    """The partition table of a raw disk image.

    Raises WorkbookError naming the image (``name``) where there is none, where the image
    is shorter than its table says, or where partitions overlap.
    """
    if len(disk) < 2 * SECTOR_BYTES + _HEADER.size or disk[SECTOR_BYTES : SECTOR_BYTES + 8] != b"EFI PART":
        raise WorkbookError(f"{name}: no GPT in its second sector: not a disk image of this workbook, or cut off")
    _, _, _, _, _, _, backup, first, last, _, table, count, size, _ = _HEADER.unpack(
        disk[SECTOR_BYTES : SECTOR_BYTES + _HEADER.size]
    )
    if (backup + 1) * SECTOR_BYTES > len(disk) or last >= backup:
        raise WorkbookError(
            f"{name}: cut off: {len(disk)} bytes, but the partition table ends at {(backup + 1) * SECTOR_BYTES}"
        )
    if size < _ENTRY.size or count > _MOST_ENTRIES or table * SECTOR_BYTES + count * size > len(disk):
        raise WorkbookError(f"{name}: damaged partition table: {count} entries of {size} bytes at sector {table}")
    found = [_partition(disk, table * SECTOR_BYTES + number * size) for number in range(count)]
    partitions = sorted((partition for partition in found if partition), key=lambda partition: partition.start)
    ends = first * SECTOR_BYTES
    for partition in partitions:
        if not ends <= partition.start < partition.end <= (last + 1) * SECTOR_BYTES:
            raise WorkbookError(
                f"{name}: damaged partition table: {partition.name!r} is at {partition.start} to {partition.end}"
            )
        ends = partition.end
    return PartitionTable(tuple(partitions), first * SECTOR_BYTES, (last + 1) * SECTOR_BYTES)


def _partition(disk: DiskBytes, offset: int) -> Partition | None:
    kind, _, first, last, _, name = _ENTRY.unpack(disk[offset : offset + _ENTRY.size])
    if kind == bytes(16):
        return None
    title = name.decode("utf-16-le", errors="replace").partition("\0")[0]
    return Partition(title, first * SECTOR_BYTES, (last + 1) * SECTOR_BYTES)
