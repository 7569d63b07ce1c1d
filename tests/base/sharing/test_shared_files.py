"""Files that results share: only the same ones, and only with results that are whole."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base.files import find_damage, write_manifest
from atomic_lib.base.sharing.shared_files import newest_whole, share_files

TIME_NS = 10**18


def write(path: Path, text: str = "content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(TIME_NS, TIME_NS))
    return path


def result(directory: Path, age: int = 0) -> Path:
    """A complete result with one object."""
    write(directory / "objects/one")
    write_manifest(directory)
    os.utime(directory, ns=(TIME_NS - age, TIME_NS - age))
    return directory


def test_a_file_that_is_the_same_is_a_link_and_the_result_stays_as_its_manifest_says(tmp_path: Path) -> None:
    earlier, new = result(tmp_path / "a"), result(tmp_path / "b")
    before = (new / "objects/one").stat()
    share_files(new / "objects", ["one", "new"], earlier / "objects")
    after = (new / "objects/one").stat()
    assert after.st_ino == (earlier / "objects/one").stat().st_ino != before.st_ino
    assert [path.name for path in (new / "objects").iterdir()] == ["one"]
    assert find_damage(new, all_content=True) == find_damage(earlier, all_content=True) == []


def test_only_the_files_that_are_named_are_shared(tmp_path: Path) -> None:
    earlier, new = result(tmp_path / "a"), result(tmp_path / "b")
    share_files(new / "objects", [], earlier / "objects")
    assert (new / "objects/one").stat().st_nlink == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda path: write(path, "longer content"),
        lambda path: path.chmod(0o600),
        lambda path: os.utime(path, ns=(TIME_NS, TIME_NS + 1)),
        lambda path: os.setxattr(path, "user.attribute", b"value"),
        lambda path: os.link(path, path.with_name("other-name")),
        lambda path: (path.unlink(), path.symlink_to("content")),
    ],
    ids=["size", "mode", "time", "attribute", "second name", "type"],
)
def test_what_is_not_the_same_stays_apart(tmp_path: Path, change: Callable[[Path], object]) -> None:
    for name in "ab":
        write(tmp_path / name / "one")
    change(tmp_path / "b/one")
    before = (tmp_path / "b/one").lstat()
    share_files(tmp_path / "b", ["one"], tmp_path / "a")
    assert (tmp_path / "b/one").lstat() == before


def test_two_links_of_one_name_stay_links_of_their_own(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "one").symlink_to("content")
        os.utime(tmp_path / name / "one", ns=(TIME_NS, TIME_NS), follow_symlinks=False)
    share_files(tmp_path / "b", ["one"], tmp_path / "a")
    assert (tmp_path / "b/one").lstat().st_nlink == 1


def test_a_file_that_cannot_be_linked_stays_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("invalid cross-device link")

    earlier, new = result(tmp_path / "a"), result(tmp_path / "b")
    monkeypatch.setattr("atomic_lib.base.sharing.shared_files.os.link", refuse)
    share_files(new / "objects", ["one"], earlier / "objects")
    assert (new / "objects/one").stat().st_nlink == 1
    assert find_damage(new, all_content=True) == []


def test_of_a_link_that_cannot_take_its_place_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no space left on device")

    earlier, new = result(tmp_path / "a"), result(tmp_path / "b")
    monkeypatch.setattr("atomic_lib.base.sharing.shared_files.os.replace", refuse)
    share_files(new / "objects", ["one"], earlier / "objects")
    assert [path.name for path in (new / "objects").iterdir() if path.name.startswith(".")] == []
    assert find_damage(new, all_content=True) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "objects/one").write_text("damage!"),
        lambda path: (path / "objects/one").unlink(),
        lambda path: (path / "manifest").unlink(),
    ],
    ids=["content", "missing", "manifest"],
)
def test_a_damaged_result_is_left_out(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    results = [result(tmp_path / "a"), result(tmp_path / "b")]
    damage(results[0])
    assert list(newest_whole(results)) == results[1:]


def test_the_newest_results_come_first_and_few_are_looked_at(tmp_path: Path) -> None:
    results = [result(tmp_path / name, age) for age, name in enumerate("cab")]
    assert list(newest_whole([results[2], tmp_path / "removed meanwhile", results[1], results[0]])) == results[:2]
