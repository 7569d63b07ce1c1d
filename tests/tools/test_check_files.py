"""./workbook doctor --check: every kind of stored file, by content; says what is damaged and what to do."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base.store import Store
from atomic_lib.tools import check_files as check_files_module
from atomic_lib.tools.check_files import check_files
from atomic_lib.tools.doctor import Finding
from tests.flips import flip


def make(directory: Path) -> None:
    (directory / "root").mkdir()
    (directory / "root/program").write_text("program")
    (directory / "facts.json").write_text("{}")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A cache and a build directory with a file of every kind."""
    for store in ("build/store", "cache"):
        for number in (1, 2):
            Store(tmp_path / store).get_or_make("stage", {"a": number}, make, what="test")
    for folder, ending in (("rpms", "rpm"), ("keys", "asc")):
        name = hashlib.sha256(folder.encode()).hexdigest()
        (tmp_path / f"cache/{folder}").mkdir()
        (tmp_path / f"cache/{folder}/{name}.{ending}").write_text(folder)
    for record in ("runs/1/results.json", "runs/1/min/lock.json", "verify/min.json", "store/failed-boots/b-1/1.json"):
        (tmp_path / "build" / record).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "build" / record).write_text('{"a": 1}')
    return tmp_path


def check(place: Path) -> list[Finding]:
    return check_files(place / "cache", place / "build", [])


def test_without_damage_it_says_what_was_checked(place: Path) -> None:
    assert check(place) == [
        Finding("stored files", "4 results, 2 cached RPMs and keys, 4 files of runs: all undamaged")
    ]
    assert check(place / "empty")[0].state == "present"


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("build/store/stage/*/root/program", flip),
        ("build/store/stage/*/facts.json", flip),
        ("build/store/stage/*/key.json", lambda path: os.truncate(path, 5)),
        ("build/store/stage/*/manifest", lambda path: os.truncate(path, 5)),
        ("cache/stage/*/root/program", Path.unlink),
        ("cache/rpms/*", flip),
        ("cache/keys/*", lambda path: os.truncate(path, 1)),
        ("build/runs/1/results.json", lambda path: os.truncate(path, 3)),
        ("build/runs/1/results.json", lambda path: path.write_text("[" * 100_000)),
        ("build/runs/1/min/lock.json", lambda path: os.truncate(path, 0)),
        ("build/verify/min.json", lambda path: os.truncate(path, 3)),
        ("build/store/failed-boots/b-1/1.json", lambda path: os.truncate(path, 3)),
    ],
)
def test_one_damaged_file_is_named_with_what_to_do(place: Path, file: str, damage: Callable[[Path], object]) -> None:
    path = sorted(place.glob(file))[0]
    damage(path)
    before = sorted(place.rglob("*"))
    (found,) = check(place)
    assert (found.name, found.state) == ("damaged", "missing")
    assert path.name in found.found
    assert found.advice
    assert sorted(place.rglob("*")) == before


def test_a_damaged_result_is_removed_and_made_again(place: Path) -> None:
    path = Store(place / "build/store").results()[0]
    flip(path / "root/program")
    assert check(place)[0].advice == f"sudo rm -r {path}; the next run that needs it makes it again"


def test_downloads_are_named_and_damage_in_one_place_hides_none_in_another(place: Path) -> None:
    for path in (place / "build").glob("store/stage/*/facts.json"):
        flip(path)
    found = check_files(place / "cache", place / "build", [place / "cache/apt/archives/a.deb"])
    assert len(found) == 3
    assert found[-1].found.endswith("a.deb")


def test_what_a_user_may_not_read_is_said_and_no_damage(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(path: Path, **_: bool) -> list[str]:
        raise PermissionError(13, "Permission denied", str(path / "root"))

    monkeypatch.setattr(check_files_module, "find_damage", deny)
    found = check(place)
    assert {(one.name, one.state) for one in found} == {("not checked", "missing")}
    assert "sudo" in found[0].advice
