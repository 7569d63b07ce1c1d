"""The ext4 reader against what mke2fs wrote: every block has one owner, every file its names."""

import os
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4 import Ext4, read_ext4
from tests.formats.disk.disk_image import ROOT_START, make_raw
from tests.measure.planted import debugfs

ODD = os.fsdecode(b"not utf-8 \xff\n")


def read(path: Path, cut: int | None = None) -> Ext4:
    with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as disk:
        return read_ext4(disk, ROOT_START, len(disk) - 34 * 512 if cut is None else cut, path.name)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("content")
    (top / "many").mkdir()
    for number in range(700):  # more than a directory of one block holds
        (top / "many" / f"a file with a name of some length {number}").symlink_to("short")
    (top / "big").write_bytes(b"b" * 1_000_000)
    (top / "linked").write_bytes(b"#!/usr/bin/python3\n")
    (top / "many/also linked").hardlink_to(top / "linked")
    (top / "long link").symlink_to("x" * 200)
    (top / ODD).write_bytes(b"odd")
    (top / "empty").touch()
    os.mkfifo(top / "pipe")
    with open(top / "scattered", "wb") as file:
        for number in range(20):  # more extents than an inode has room for
            file.seek(number * 65536)
            file.write(b"s" * 5000)
    return top


@pytest.fixture(scope="module", params=[1024, 4096])
def raw(request: pytest.FixtureRequest, content: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("disk") / "disk.raw"
    make_raw(path, content, block_bytes=request.param)
    return path


def test_every_file_has_its_names(raw: Path, content: Path) -> None:
    names = read(raw).names.values()
    expected = {
        f"/{path.relative_to(content)}" for path in content.rglob("*") if not path.is_dir() or path.is_symlink()
    }
    assert {name for group in names for name in group} == expected
    assert ["/linked", "/many/also linked"] in [sorted(group) for group in names]


def test_every_file_has_its_blocks(raw: Path, content: Path) -> None:
    files = read(raw)
    blocks: Counter[str | int] = Counter()
    for _, count, label in files.runs:
        blocks[label] += count
    by_name = {name: blocks[inode] * files.block_bytes for inode, group in files.names.items() for name in group}
    assert by_name["/big"] == -(-1_000_000 // files.block_bytes) * files.block_bytes
    assert by_name["/scattered"] == 20 * -(-5000 // files.block_bytes) * files.block_bytes
    assert by_name["/long link"] == by_name[f"/{ODD}"] == by_name["/linked"] == files.block_bytes
    assert by_name["/empty"] == by_name["/pipe"] == 0
    assert blocks["journal"] * files.block_bytes >= 4 << 20
    assert blocks["directories"] * files.block_bytes >= 700 * 48


def test_the_head_of_a_file_can_be_read(raw: Path) -> None:
    files = read(raw)
    heads = {name: files.heads.get(inode) for inode, group in files.names.items() for name in group}
    assert heads["/linked"] == b"#!/usr/bin/python3\n"
    assert heads["/big"] == b"b" * 256
    assert heads["/empty"] is heads["/long link"] is None


def write(offset: int, data: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with open(path, "r+b") as file:
            file.seek(ROOT_START + offset)
            file.write(data)

    return damage


def free_a_block(path: Path) -> None:
    """Clear the last bit that is set in the first block bitmap; its place is in the first group's descriptor."""
    with open(path, "r+b") as file:
        file.seek(ROOT_START + 1024 + 0x18)
        block_bytes = 1024 << file.read(1)[0]
        file.seek(ROOT_START + (2048 if block_bytes == 1024 else block_bytes))
        bitmap = ROOT_START + int.from_bytes(file.read(4), "little") * block_bytes
        file.seek(bitmap)
        data = bytearray(file.read(block_bytes))
        place = max(index for index, value in enumerate(data[:300]) if value)
        data[place] &= data[place] - 1
        file.seek(bitmap)
        file.write(data)


def first_extent(raw: Path, path: str) -> tuple[int, int]:
    """Where on the disk the first extent of a file is written down, and the first block that it names."""
    files = read(raw)
    number = next(inode for inode, names in files.names.items() if path in names)
    with open(raw, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as disk:
        place = disk.find(files.inodes[number].raw)
    return place + 0x28 + 12, files.inodes[number].data[0][1]


def move_to_blocks_of(path: str, other: str) -> Callable[[Path], None]:
    """Let a file's data begin at the first block of another one's; what it had before is free."""

    def damage(raw: Path) -> None:
        (place, before), (_, taken) = first_extent(raw, path), first_extent(raw, other)
        debugfs(raw, [f"freeb {before}"])
        with open(raw, "r+b") as file:
            file.seek(place + 8)
            file.write(taken.to_bytes(4, "little"))

    return damage


def test_a_block_with_two_owners_is_refused(raw: Path, tmp_path: Path) -> None:
    copy = tmp_path / "disk.raw"
    copy.write_bytes(raw.read_bytes())
    numbers = {name: number for number, names in read(copy).names.items() for name in names}
    move_to_blocks_of("/linked", f"/{ODD}")(copy)
    _, block = first_extent(raw, f"/{ODD}")
    owners = " and ".join(str(number) for number in sorted((numbers["/linked"], numbers[f"/{ODD}"])))
    with pytest.raises(WorkbookError, match=f"disk.raw: .*is damaged: block {block} has two owners: {owners}"):
        read(copy)


def test_a_block_beside_those_of_another_file_has_one_owner(raw: Path) -> None:
    runs = read(raw).runs
    assert any(first + count == following for (first, count, _), (following, _, _) in pairwise(runs))


def test_a_used_block_without_an_owner_is_refused(raw: Path, tmp_path: Path) -> None:
    copy = tmp_path / "disk.raw"
    copy.write_bytes(raw.read_bytes())
    files = read(copy)
    last = max(first + count for first, count, label in files.runs if isinstance(label, int))
    free = next(number for number in range(last, files.layout.block_count)
                if not any(first <= number < first + count for first, count, _ in files.runs))  # fmt: skip
    debugfs(copy, [f"setb {free}"])
    with pytest.raises(WorkbookError, match=f"disk.raw: .*is damaged: block {free} is in use, but has no owner"):
        read(copy)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (write(1024 + 0x38, b"\0\0"), "no ext4 file system at byte 131072"),
        (write(1024 + 0x60, b"\xff"), "features that the workbook does not use"),
        (write(1024 + 4, b"\xff\xff\xff"), "cut off: the file system has"),
        (write(1024 + 0x18, b"\xff\xff\xff\xff"), "impossible sizes in its superblock"),
        (write(1024 + 0x20, b"\0\0\0\0"), "impossible sizes in its superblock"),
        (free_a_block, "is damaged: block .* is free, but has an owner"),
        (write(1024 + 0x28, b"\x08\0\0\0"), "is damaged"),
    ],
)
def test_a_damaged_file_system_is_named(
    raw: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    copy = tmp_path / "disk.raw"
    copy.write_bytes(raw.read_bytes())
    damage(copy)
    with pytest.raises(WorkbookError, match=f"disk.raw: .*{message}"):
        read(copy)


def test_a_partition_that_is_too_short_is_named(raw: Path) -> None:
    with pytest.raises(WorkbookError, match=r"disk.raw: cut off: the file system has \d+ bytes, its partition 1048576"):
        read(raw, ROOT_START + (1 << 20))
