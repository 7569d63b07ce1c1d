"""A FAT32 file system: where its parts are, and what the bytes of a directory entry mean.

Format: Microsoft's FAT specification (boot sector, directory entries). No library: pyfatfs and
dissect.fat read files, but give no offsets of fields, which is how a difference is described.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

FAT_HEAD_BYTES = 90
"""How much of a file system ``read_fat_layout`` looks at."""
DIRECTORY_ENTRY_BYTES = 32
SHORT_NAME_BYTES = 11
DIRECTORY_ENTRY_FIELDS: Mapping[int, str] = {
    0x00: "name", 0x0B: "attributes", 0x0D: "creation time", 0x0E: "creation time", 0x10: "creation date",
    0x12: "access date", 0x14: "first cluster", 0x16: "write time", 0x18: "write date", 0x1A: "first cluster",
    0x1C: "size",
}  # fmt: skip
"""The fields of a directory entry by the offset at which each begins."""


@dataclass(frozen=True)
class FatLayout:
    """Where the allocation tables and the data begin, in bytes from the start of the file system."""

    tables_start: int
    data_start: int


def read_fat_layout(head: bytes) -> FatLayout | None:
    """The layout by the first bytes of a file system; None if it is not FAT32."""
    if head[82:87] != b"FAT32":
        return None
    sector_bytes, reserved, copies = *struct.unpack_from("<H", head, 11), *struct.unpack_from("<HB", head, 14)
    table_sectors = struct.unpack_from("<I", head, 36)[0]
    tables_start = reserved * sector_bytes
    return FatLayout(tables_start, tables_start + copies * table_sectors * sector_bytes)
