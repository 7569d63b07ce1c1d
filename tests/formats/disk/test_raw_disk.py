"""The files of a raw disk image: their content, and errors for those that are missing."""

import os
import shutil
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.raw_disk import map_file, open_disk_file, open_raw_disk, pieces_of
from tests.formats.disk.disk_image import make_raw
from tests.measure.planted import debugfs


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    (tmp_path / "content/etc").mkdir(parents=True)
    (tmp_path / "content/etc/issue").write_text("text\n")
    (tmp_path / "content/link").symlink_to("etc/issue")
    with open(tmp_path / "content/holes", "wb") as file:
        file.write(b"begin")
        file.seek(3 << 20)
        file.write(b"end")
    make_raw(tmp_path / "disk.raw", tmp_path / "content")
    return tmp_path / "disk.raw"


def test_the_content_of_a_file_is_read(raw: Path) -> None:
    with open_raw_disk(raw) as disk:
        assert disk.path == raw
        assert [part.name for part in disk.table.partitions] == ["bios", "esp", "root"]
        assert disk.content("/etc/issue") == b"text\n"
        assert disk.content("/holes") == b"begin".ljust(3 << 20, b"\0") + b"end"


def test_blocks_beyond_the_end_of_a_file_are_no_content(raw: Path) -> None:
    debugfs(raw, ["sif /holes size 7"])
    with open_raw_disk(raw) as disk:
        assert disk.content("/holes") == b"begin\0\0"
        assert [count for _, count in pieces_of(disk.files, disk.inodes["/holes"])] == [7]


@pytest.mark.parametrize("path", ["/etc", "/link", "/etc/gone", "etc/issue", ""])
def test_what_is_no_regular_file_has_no_content(raw: Path, path: str) -> None:
    with open_raw_disk(raw) as disk, pytest.raises(WorkbookError, match=f"disk.raw: no file {path}"):
        disk.content(path)


PLACES = [slice(0, 4), slice(6, 100), slice(100, 200), slice(4, 2), slice(-3, None), slice(None)]


@pytest.mark.parametrize("place", PLACES)
def test_the_bytes_of_a_file_are_those_of_its_slices(tmp_path: Path, place: slice) -> None:
    (tmp_path / "file").write_bytes(b"123456789")
    with open_disk_file(tmp_path / "file") as file, map_file(tmp_path / "file") as mapped:
        assert file[place] == mapped[place] == b"123456789"[place]
        assert len(file) == len(mapped) == 9


def test_a_file_that_was_read_takes_no_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(1 << 20) * 32)
    with open_disk_file(tmp_path / "file") as file:
        before = resident_file_bytes()
        assert sum(len(file[start : start + 4096]) for start in range(0, len(file), 4096)) == 32 << 20
        assert resident_file_bytes() - before < 8 << 20


def resident_file_bytes() -> int:
    """What of files is in the memory of this process (proc_pid_statm(5): shared)."""
    return int(Path("/proc/self/statm").read_text().split()[2]) * os.sysconf("SC_PAGE_SIZE")


def test_what_cannot_be_opened_is_named(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"gone: cannot be read: No such file"), map_file(tmp_path / "gone"):
        pass
    with pytest.raises(WorkbookError, match=r"cannot be read: Is a directory"), map_file(tmp_path):
        pass
    (tmp_path / "empty").touch()
    with pytest.raises(WorkbookError, match=r"empty: empty"), open_disk_file(tmp_path / "empty"):
        pass
    copy = tmp_path / "copy.raw"
    shutil.copyfile(raw, copy)
    with open(copy, "r+b") as file:
        file.seek(2 * 512 + 2 * 128 + 56)  # the name of the third partition
        file.write("boot".encode("utf-16-le"))
    with pytest.raises(WorkbookError, match=r"copy.raw: no partition named root"), open_raw_disk(copy):
        pass
