"""What differs is found and named: single changes planted in a real file system, and an equal pair."""

import shutil
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.file_system import FileSystem, read_file_system
from atomic_lib.measure.file_system_comparison import Comparison, Difference, compare, shown
from tests.measure.planted import ODD, Planted, changes, debugfs, make_base

NAMES = [planted.name for planted in changes(Path())]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("planted")
    make_base(made / "base.raw", made)
    return made


@pytest.fixture(scope="module")
def base(directory: Path) -> FileSystem:
    return read_file_system(directory / "base.raw")


@pytest.fixture
def copy(directory: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(directory / "base.raw", tmp_path / "copy.raw"))


@pytest.fixture(scope="module")
def planted(directory: Path) -> dict[str, Planted]:
    return {one.name: one for one in changes(directory)}


def pairs(comparison: Comparison) -> set[tuple[str, str]]:
    return {(difference.path, difference.kind) for difference in comparison.differences}


def test_there_are_fifty_changes_or_more() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 50


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_change_is_found_and_named(
    name: str, planted: dict[str, Planted], base: FileSystem, copy: Path
) -> None:
    planted[name].plant(copy, base)
    comparison = compare(base, read_file_system(copy))
    assert pairs(comparison) == planted[name].found
    assert all(difference.left != difference.right for difference in comparison.unexplained)
    assert pairs(compare(read_file_system(copy), base)) == {
        (path, {"missing": "added", "added": "missing"}.get(kind, kind)) for path, kind in planted[name].found
    }


def test_an_equal_pair_has_no_difference(directory: Path, base: FileSystem, copy: Path) -> None:
    comparison = compare(base, read_file_system(copy))
    assert comparison.differences == ()
    assert comparison.paths == (len(base.entries),) * 3
    assert comparison.equal_paths == len(base.entries) > 25


def test_another_place_on_the_disk_is_no_difference(directory: Path, base: FileSystem, copy: Path) -> None:
    suid, hole = directory / "content/bin/suid", directory / "filled"
    hole.write_bytes(bytes(100_000) + b"end")
    lines = [f"write {suid} /lib/new", "sif /lib/new mode 0104755", "sif /lib/new uid 0", "sif /lib/new gid 0",
             "rm /bin/suid", "ln /lib/new /bin/suid", "unlink /lib/new", "rm /hole", f"write {hole} /hole",
             "sif /hole mode 0100644", "sif /hole uid 0", "sif /hole gid 0", "sif /bin/tool mtime 20010101",
             "sif /bin mtime 20010101"]  # fmt: skip
    debugfs(copy, lines)
    moved = read_file_system(copy)
    assert moved.entries["/bin/suid"].pieces != base.entries["/bin/suid"].pieces
    assert compare(base, moved).differences == ()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["sif /lib/one links_count 3"], r"'/lib/one' has 2 links, but says that it has 3"),
        (["sif /deep links_count 5"], r"'/deep' has 3 links, but says that it has 5"),
        (["sif /bin/tool mode 0010644"], r"'/bin/tool': its directory calls it another type of file"),
        (["clri /bin/tool"], r"'/bin/tool'"),
    ],
)
def test_a_damaged_file_system_is_refused_and_named(copy: Path, lines: list[str], message: str) -> None:
    debugfs(copy, lines)
    with pytest.raises(WorkbookError, match=message):
        read_file_system(copy)


def test_each_difference_reads_as_a_sentence() -> None:
    difference = Difference("/a\nb", "label", "", "x_t")
    assert str(difference) == "/a\\x0ab: label: none ≠ x_t"
    assert shown(ODD) == "/odd \\xff"
    assert shown("/é ü") == "/é ü"
