"""The faults that are put into real runs: their changes, on a small store; the runs themselves take too long."""

import shutil
from pathlib import Path

import pytest

from benchmarks.fault_list import FAULTS, Fault, Place, _cut, _flip

FILES = ("rpm-set/a/rpms/a.rpm", "rpm-set/a/lock.json", "layer/a/root/usr/bin/sh", "initramfs/a/initramfs.img",
         "tree/a/tree.json", "tree/a/owners.json", "tree/a/repo/objects/aa/b.file", "tree/a/repo/objects/aa/b.dirtree",
         "image/a/allocated.json", "image/a/disk.qcow2", "image/a/image.json", "image/a/entries.jsonl")  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in FILES:
        path = tmp_path / "build/store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(range(256)) * 20)
    made = Place(tmp_path)
    for result in made.store.glob("*/a"):
        shutil.copytree(result, result.with_name("b"))
    return made


def test_there_are_faults_of_each_kind_and_each_has_a_name() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names) >= 40
    for kind in (
        "kill -9 at",
        "SIGTERM",
        "SIGINT",
        "SIGHUP",
        "kernel",
        "a recipe",
        "a script",
        "the disk has",
        "is cut",
    ):
        assert any(kind in name for name in names), kind


def test_what_a_fault_makes_anew_can_be_removed(place: Place) -> None:
    found = [str(path.relative_to(place.store)) for path in place.results("tree", "image")]
    assert found == ["tree/a", "tree/b", "image/a", "image/b"]


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.status == 0 and fault.before],
                         ids=lambda fault: fault.name)  # fmt: skip
def test_each_damage_changes_exactly_one_file_of_each_result(place: Place, fault: Fault) -> None:
    whole = (place.store / FILES[0]).read_bytes()
    assert fault.before is not None
    fault.before(place)
    left = {str(path.relative_to(place.store)) for path in place.store.glob("**/*") if _is(path, whole)}
    changed = [name for name in FILES if name not in left]
    assert len(changed) == 1
    assert {name.replace("/a/", "/b/", 1) for name in FILES} - left == {changed[0].replace("/a/", "/b/", 1)}


def _is(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def test_the_kinds_of_damage(place: Place) -> None:
    path = place.store / "image/a/disk.qcow2"
    whole = path.read_bytes()
    _flip(path)
    assert len(path.read_bytes()) == len(whole)
    assert sum(one != other for one, other in zip(whole, path.read_bytes(), strict=True)) == 1
    _cut(path, 7)
    assert path.stat().st_size == 7
