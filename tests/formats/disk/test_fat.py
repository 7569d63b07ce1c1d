"""Where the parts of a FAT32 file system are."""

import struct

import pytest

from atomic_lib.formats.disk.fat import FAT_HEAD_BYTES, FatLayout, read_fat_layout


def head(sector_bytes: int, reserved: int, copies: int, table_sectors: int, *, kind: bytes = b"FAT32   ") -> bytes:
    """The first bytes of a file system, as mkfs.vfat writes them."""
    data = bytearray(FAT_HEAD_BYTES)
    struct.pack_into("<H", data, 11, sector_bytes)
    struct.pack_into("<HB", data, 14, reserved, copies)
    struct.pack_into("<I", data, 36, table_sectors)
    data[82:90] = kind
    return bytes(data)


@pytest.mark.parametrize(
    ("numbers", "layout"),
    [((512, 32, 2, 568), FatLayout(16_384, 598_016)), ((4096, 8, 1, 71), FatLayout(32_768, 323_584))],
)
def test_the_tables_and_the_data_are_found_in_bytes(numbers: tuple[int, int, int, int], layout: FatLayout) -> None:
    assert read_fat_layout(head(*numbers)) == layout


def test_what_is_no_fat32_has_no_layout() -> None:
    assert read_fat_layout(head(512, 32, 2, 568, kind=b"FAT16   ")) is None
    assert read_fat_layout(bytes(FAT_HEAD_BYTES)) is read_fat_layout(b"core image") is None
