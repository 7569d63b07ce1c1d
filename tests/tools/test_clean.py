"""Removal: says first, asks, keeps to its own directories."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import size_bytes
from atomic_lib.tools.clean import clean, freed_bytes
from atomic_lib.tools.tools_tree import CACHE_TAG, CACHE_TAG_NAME


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("build/store/trees", "build/runs/one", "build/recipes/one", ".venv/bin", "cache/tools", "notebooks"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "cache" / CACHE_TAG_NAME).write_text(CACHE_TAG)
    return tmp_path


def call(tree: Path, *parts: str, confirmed: bool = True) -> int:
    return clean(tree, tree / "cache", parts, confirmed=confirmed)


def left(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("file")}


def test_without_a_part_shows_all_and_removes_nothing(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = left(tree)
    assert call(tree) == 0
    shown = capsys.readouterr().err
    assert all(part in shown for part in ("builds", "runs", "cache", "environment"))
    assert "0.1 MB  builds" in shown
    assert left(tree) == before


@pytest.mark.parametrize(
    ("part", "gone"),
    [
        ("builds", {"build/store/trees/file"}),
        ("runs", {"build/runs/one/file", "build/recipes/one/file"}),
        ("environment", {".venv/bin/file"}),
        ("cache", {"cache/tools/file"}),
        (
            "all",
            {
                "build/store/trees/file",
                "build/runs/one/file",
                "build/recipes/one/file",
                ".venv/bin/file",
                "cache/tools/file",
            },
        ),
    ],
)
def test_removes_the_named_part_only(tree: Path, part: str, gone: set[str]) -> None:
    before = left(tree)
    assert call(tree, part) == 0
    assert before - left(tree) == gone


def test_without_a_terminal_and_yes_removes_nothing(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = left(tree)
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert call(tree, "all", confirmed=False) == 1
    assert "--yes" in capsys.readouterr().err
    assert left(tree) == before


def test_refuses_while_a_run_goes_on(tree: Path) -> None:
    with open(tree / "build/run.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(WorkbookError, match=r"another \./workbook is in progress"):
            call(tree, "builds")
    assert "build/store/trees/file" in left(tree)


def test_does_not_follow_links_out(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "file").touch()
    (tree / "build/runs/link").symlink_to(outside)
    assert call(tree, "runs") == 0
    assert (outside / "file").exists()

    (tree / "build/store").rename(outside / "store")
    (tree / "build/store").symlink_to(outside / "store")
    with pytest.raises(WorkbookError, match="outside"):
        call(tree, "builds")
    assert (outside / "store/trees/file").exists()


def test_a_directory_that_is_no_cache_of_ours_stays(tree: Path) -> None:
    (tree / "cache" / CACHE_TAG_NAME).unlink()
    with pytest.raises(WorkbookError, match="not a cache that the workbook made"):
        call(tree, "cache")
    assert "cache/tools/file" in left(tree)


def test_unknown_part(tree: Path) -> None:
    with pytest.raises(WorkbookError, match="unknown part 'bilds'") as caught:
        call(tree, "bilds")
    assert "builds" in caught.value.hint


def test_what_was_set_aside_is_removed_alone(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aside = ["build/store/tree/0.damaged", "cache/content/0.damaged"]
    for name in aside:
        (tree / name).mkdir(parents=True)
        (tree / name / "file").touch()
    files = ["cache/rpms/0.rpm.damaged", "cache/apt/archives/a.deb.damaged"]
    for name in files:
        (tree / name).parent.mkdir(parents=True)
        (tree / name).touch()
    before = left(tree)
    assert call(tree) == 0
    shown = capsys.readouterr().err
    assert all(str(tree / name) in shown for name in (*aside, *files))
    assert call(tree, "damaged") == 0
    assert before - left(tree) == {f"{name}/file" for name in aside}
    assert not any((tree / name).exists() for name in files)


def test_size_counts_a_hard_link_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 1_000_000)
    before = size_bytes(tmp_path)
    os.link(tmp_path / "one", tmp_path / "two")
    assert 1_000_000 <= before < 1_100_000
    assert size_bytes(tmp_path) == before


def test_what_is_freed_is_what_the_disk_then_has_more(tmp_path: Path) -> None:
    one, two, kept = (tmp_path / name for name in ("one", "two", "kept"))
    for directory in (one, two / "below", kept):
        directory.mkdir(parents=True)
    for name in ("alone", "linked", "shared"):
        (one / name).write_bytes(os.urandom(100_000))
    (two / "below/linked").hardlink_to(one / "linked")
    (kept / "shared").hardlink_to(one / "shared")
    (two / "link").symlink_to("../kept")
    with open(two / "holes", "wb") as file:
        file.truncate(1 << 30)
    before = size_bytes(tmp_path)
    freed = freed_bytes([one, two])
    assert freed_bytes([two]) < 100_000 < freed_bytes([one])
    shutil.rmtree(one)
    shutil.rmtree(two)
    assert before - size_bytes(tmp_path) == freed
