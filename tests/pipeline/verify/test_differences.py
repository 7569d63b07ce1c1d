"""Differences planted between two disk images, each explained by name."""

import shutil
import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from atomic_lib.formats.cpio import archive, text_file
from atomic_lib.formats.disk.gpt import SECTOR_BYTES
from atomic_lib.pipeline.verify.block_differences import fat_differences
from atomic_lib.pipeline.verify.differences import Explanation, image_differences
from atomic_lib.tools.sandbox import Tools
from tests.formats.disk.disk_image import BIOS_SECTOR, ROOT_START, make_raw
from tests.measure.planted import debugfs

NO_TOOLS = Tools(Path("/nonexistent"), "none")
RPMDB, INITRAMFS = "usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/lib/modules/6.1/initramfs.img"
_INSTALL_TIME, _NAME, _INTEGER, _TEXT = 1008, 1000, 4, 6


def header(name: str, install_time: int) -> bytes:
    """A package as an RPM database has it."""
    text = name.encode() + b"\0"
    text += bytes(-len(text) % 4)
    data = text + struct.pack(">I", install_time)
    index = struct.pack(">IIiI", _NAME, _TEXT, 0, 1) + struct.pack(">IIiI", _INSTALL_TIME, _INTEGER, len(text), 1)
    return struct.pack(">II", 2, len(data)) + index + data


def write_rpmdb(path: Path, packages: dict[str, int]) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)")
        rows = [(header(name, seconds),) for name, seconds in packages.items()]
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", rows)


@dataclass
class Pair:
    """Two trees, alike until changed, and the images that are made of them."""

    directory: Path
    images: list[Path] = field(default_factory=list)

    @property
    def second(self) -> Path:
        """The content of the second image."""
        return self.directory / "b"

    def make(self) -> None:
        """Make both images, which are two file systems each with its own identity."""
        for name in "ab":
            raw = self.directory / f"{name}.raw"
            make_raw(raw, self.directory / name)
            self.images.append(raw)

    def copy(self) -> None:
        """Make the first image, and the second as its copy."""
        self.make()
        shutil.copyfile(*self.images)

    def told(self) -> str:
        """What is said of the two."""
        left, right = self.images
        return Explanation(tuple(image_differences(left, right, NO_TOOLS))).full


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    first = tmp_path / "a"
    for file in ("etc/issue", RPMDB, INITRAMFS):
        (first / file).parent.mkdir(parents=True, exist_ok=True)
    (first / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (first / "etc/group").write_text("root:x:0:\n")
    (first / "etc/issue").write_text("first line\nsecond line\n")
    (first / "usr/tool").write_bytes(bytes(range(256)) * 20)
    write_rpmdb(first / RPMDB, {"bash": 1735689600, "docker": 1735689600})
    (first / INITRAMFS).write_bytes(archive({"init": text_file("#!/bin/sh\n"), "etc/x": text_file("one\n")}))
    shutil.copytree(first, tmp_path / "b")
    return Pair(tmp_path)


def test_a_changed_text_is_a_diff(pair: Pair) -> None:
    (pair.second / "etc/issue").write_text("first line\nother line\n")
    pair.make()
    told = pair.told()
    assert told.startswith("/etc/issue: size: 23 bytes ≠ 22 bytes\n/etc/issue: content: ")
    assert "    -second line\n    +other line\n" in told


def test_a_changed_byte_of_a_program_is_told_by_its_place(pair: Pair) -> None:
    data = bytearray((pair.second / "usr/tool").read_bytes())
    data[1234] ^= 1
    (pair.second / "usr/tool").write_bytes(data)
    pair.make()
    told = pair.told()
    assert told.startswith("/usr/tool: content: ")
    assert "the first byte that differs is 1234 of 5120 and 5120" in told


def test_a_changed_mode_is_told(pair: Pair) -> None:
    (pair.second / "etc/issue").chmod(0o600)
    pair.make()
    assert "/etc/issue: mode: 0644 ≠ 0600\n" in pair.told()


def test_a_changed_install_time_is_told_by_package_and_tag(pair: Pair) -> None:
    (pair.second / RPMDB).unlink()
    write_rpmdb(pair.second / RPMDB, {"bash": 1735689600, "docker": 1795395945})
    pair.make()
    told = pair.told()
    assert f"/{RPMDB}: content: " in told
    assert "    package docker: tag INSTALLTIME (1008): 1735689600 ≠ 1795395945\n" in told
    assert "package bash" not in told


def test_packages_in_another_order_are_told(pair: Pair) -> None:
    (pair.second / RPMDB).unlink()
    write_rpmdb(pair.second / RPMDB, {"docker": 1735689600, "bash": 1735689600})
    pair.make()
    assert "    packages in another order: bash, docker\n" in pair.told()


def test_a_package_more_is_told(pair: Pair) -> None:
    (pair.second / RPMDB).unlink()
    write_rpmdb(pair.second / RPMDB, {"bash": 1735689600, "docker": 1735689600, "extra": 1})
    pair.make()
    assert "    package extra: only in build B\n" in pair.told()


def test_a_changed_member_of_the_initramfs_is_told_by_name(pair: Pair) -> None:
    data = archive({"init": text_file("#!/bin/sh\n"), "etc/x": text_file("two\n"), "new": text_file("")})
    (pair.second / INITRAMFS).write_bytes(data)
    pair.make()
    told = pair.told()
    assert "    member etc/x: mode 100644, owner 0:0, time 0, links 1, 4 bytes, " in told
    assert "    member new: none ≠ mode 100644" in told
    assert "member init" not in told


def test_a_time_of_the_superblock_is_told_by_its_name(pair: Pair) -> None:
    pair.copy()
    for raw, seconds in zip(pair.images, (1735689600, 1795395945), strict=True):
        with open(raw, "r+b") as disk:
            disk.seek(ROOT_START + 1024 + 0x108)
            disk.write(struct.pack("<I", seconds))
    assert pair.told().splitlines() == [
        "1 blocks of 4 KiB of the disk differ:",
        "    root: superblock: time it was made: 2025-01-01 00:00:00 ≠ 2026-11-23 01:05:45",
    ]


def test_a_time_of_an_inode_is_told_by_path_and_field(pair: Pair) -> None:
    pair.copy()
    for raw, year in zip(pair.images, (2025, 2026), strict=True):
        debugfs(raw, [f"sif /etc/issue atime {year}0203040506"])
    assert "(/etc/issue): access time: 2025-02-03 04:05:06 ≠ 2026-02-03 04:05:06\n" in pair.told()


def test_a_byte_outside_every_file_is_told_by_partition(pair: Pair) -> None:
    pair.copy()
    with open(pair.images[1], "r+b") as disk:
        disk.seek(BIOS_SECTOR * SECTOR_BYTES + 7)
        disk.write(b"?")
        disk.seek(100)
        disk.write(b"?")
        disk.seek(2 * SECTOR_BYTES + 16)
        disk.write(b"?")
    told = pair.told()
    assert "the boot code of the disk\n" in told
    assert "    partition bios, byte 7\n" in told


def test_equal_images_have_nothing_to_tell(pair: Pair) -> None:
    pair.copy()
    assert pair.told() == "0 blocks of 4 KiB of the disk differ\n"


def test_a_directory_entry_of_the_esp_is_told_by_name_and_field() -> None:
    entry = bytearray(b"BOOTX64 EFI\x20".ljust(32, b"\0"))
    changed = bytearray(entry)
    struct.pack_into("<H", changed, 0x18, 0x5A21)
    lines = list(fat_differences(bytes(512) + bytes(entry), bytes(512) + bytes(changed)))
    assert lines == ["esp: directory entry 'BOOTX64 EFI': write date: 00000000 ≠ 215a0000"]


def test_the_short_form_says_how_much_it_leaves_out() -> None:
    short = Explanation(tuple(f"line {number}" for number in range(20))).short.splitlines()
    assert short[0] == "line 0"
    assert short[-1] == f"… {20 - len(short) + 1} more lines"
