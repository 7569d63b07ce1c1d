"""The partition table of a disk image; one that is cut off or damaged is named."""

from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.gpt import Partition, PartitionTable, read_partition_table
from tests.formats.disk.disk_image import write_disk


def read(path: Path) -> PartitionTable:
    with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as disk:
        return read_partition_table(disk, path.name)


def test_partitions_are_found_in_bytes(tmp_path: Path) -> None:
    write_disk(tmp_path / "disk.raw")
    table = read(tmp_path / "disk.raw")
    assert [part.name for part in table.partitions] == ["bios", "esp", "root"]
    assert table.partitions[0] == Partition("bios", 64 * 512, 128 * 512)
    assert table.first_usable == 34 * 512
    assert table.usable_end == (tmp_path / "disk.raw").stat().st_size - 33 * 512


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda old: old[:100], "no GPT in its second sector"),
        (lambda old: old[:512] + bytes(512) + old[1024:], "no GPT in its second sector"),
        (lambda old: old[:5_000_000], "cut off: 5000000 bytes, but the partition table ends at"),
        (lambda old: old[: 512 + 80] + b"\xff" * 4 + old[512 + 84 :], "damaged partition table: 4294967295 entries"),
        (lambda old: old[: 1024 + 32] + b"\1" + old[1024 + 33 :], "damaged partition table: 'bios' is at 512 to"),
        (lambda old: old[: 1024 + 40] + b"\xff" + old[1024 + 41 :], "damaged partition table: 'esp' is at"),
    ],
)
def test_a_damaged_table_is_named(tmp_path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    path = tmp_path / "disk.raw"
    write_disk(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WorkbookError, match=f"disk.raw: .*{message}"):
        read(path)
