"""Where builds are made to be compared, and what is left of them."""

import os
from pathlib import Path

import pytest

from atomic_lib.pipeline.verify.directories import MEMORY_DIRECTORY, has_memory, make_cold_cache, other_place


def test_the_other_place_is_gone_afterwards(tmp_path: Path) -> None:
    with other_place(tmp_path) as place:
        (place / "store").mkdir()
        assert place.parent in (MEMORY_DIRECTORY, tmp_path / "verify")
        assert str(os.getpid()) in place.name
    assert not place.exists()


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    left, living = (tmp_path / "verify" / f"workbook-verify-{pid}-x" for pid in (2**22 + 1, os.getpid()))
    for path in (left, living):
        (path / "store").mkdir(parents=True)
    with other_place(tmp_path):
        assert (left.exists(), living.exists()) == (False, True)


def test_what_another_user_or_no_build_made_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top, elsewhere = tmp_path / "verify", tmp_path / "elsewhere"
    names = [f"workbook-verify-{2**22 + number}-x" for number in (1, 2, 3)]
    for directory in (top / names[0], elsewhere):
        directory.mkdir(parents=True)
        (directory / "file").touch()
    (top / names[1]).symlink_to(elsewhere)
    (top / names[2]).touch()
    other_user = os.geteuid() + 1
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: other_user)
        with other_place(tmp_path):
            assert all((top / name).exists() for name in names)
    with other_place(tmp_path):
        assert [(top / name).exists() for name in names] == [False, True, True]
    assert (elsewhere / "file").exists()


def test_a_directory_on_a_disk_is_not_taken_for_memory(tmp_path: Path) -> None:
    assert not has_memory(tmp_path)
    assert not has_memory(Path("/proc"))


def test_a_cold_cache_has_what_was_downloaded_and_nothing_that_was_made(tmp_path: Path) -> None:
    warm = tmp_path / "warm"
    downloaded, made = ("apt/archives/a.deb", "apt/edition", "apt/lists/index"), ("content/key/a.rpm", "rpms/a.rpm")
    for name in (*downloaded, *made, "tools/key/versions"):
        (warm / name).parent.mkdir(parents=True, exist_ok=True)
        (warm / name).write_text(name)
    make_cold_cache(warm, tmp_path / "cold")
    files = {str(path.relative_to(tmp_path / "cold")) for path in (tmp_path / "cold").rglob("*") if path.is_file()}
    assert files == {"CACHEDIR.TAG", *downloaded}
    assert (tmp_path / "cold/tools/key/versions").read_text() == "tools/key/versions"
    assert not (tmp_path / "cold/apt/archives/a.deb").samefile(warm / "apt/archives/a.deb")
