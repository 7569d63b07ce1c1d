"""Where builds are made to be compared, and what is left of them."""

import os
from pathlib import Path

from atomic_lib.verify.places import MEMORY_DIRECTORY, has_memory, make_cold_cache, other_place


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


def test_a_directory_on_a_disk_is_not_taken_for_memory(tmp_path: Path) -> None:
    assert not has_memory(tmp_path)
    assert not has_memory(Path("/proc"))


def test_a_cold_cache_has_what_was_downloaded_and_nothing_that_was_made(tmp_path: Path) -> None:
    warm = tmp_path / "warm"
    for name in ("apt/archives/a.deb", "apt/lists/index", "content/key/a.rpm", "rpms/a.rpm", "tools/key/versions"):
        (warm / name).parent.mkdir(parents=True, exist_ok=True)
        (warm / name).write_text(name)
    make_cold_cache(warm, tmp_path / "cold")
    files = {str(path.relative_to(tmp_path / "cold")) for path in (tmp_path / "cold").rglob("*") if path.is_file()}
    assert files == {"CACHEDIR.TAG", "apt/archives/a.deb", "apt/lists/index"}
    assert (tmp_path / "cold/tools/key/versions").read_text() == "tools/key/versions"
