"""The faults that are put into real runs: their changes, on a small store; the runs themselves take too long."""

from pathlib import Path

import pytest

from benchmarks.fault_list import FAULTS, Fault, Place, _cut, _delete, _flip

FILES = ("rpm-set/a/rpms/a.rpm", "rpm-set/a/lock.json", "layer/a/root/usr/bin/sh", "initramfs/a/initramfs.img",
         "tree/a/tree.json", "tree/a/owners.json", "tree/a/repo/objects/aa/b.file", "tree/a/repo/objects/aa/b.dirtree",
         "image/a/disk.raw", "image/a/disk.qcow2", "image/a/image.json", "image/a/entries.jsonl")  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in FILES:
        path = tmp_path / "build/store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(range(256)) * 20)
    return Place(tmp_path)


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
    assert [path.parent.name for path in place.results("tree", "image")] == ["tree", "image"]


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.status == 0 and fault.before],
                         ids=lambda fault: fault.name)  # fmt: skip
def test_each_damage_changes_exactly_one_file(place: Place, fault: Fault) -> None:
    before = {name: (place.store / name).read_bytes() for name in FILES}
    assert fault.before is not None
    fault.before(place)
    after = {name: path.read_bytes() if (path := place.store / name).is_file() else None for name in FILES}
    assert len([name for name in FILES if before[name] != after[name]]) == 1


def test_the_kinds_of_damage(place: Place) -> None:
    path = place.store / "image/a/disk.raw"
    whole = path.read_bytes()
    _flip("image/*/disk.raw")(place)
    assert len(path.read_bytes()) == len(whole)
    assert sum(one != other for one, other in zip(whole, path.read_bytes(), strict=True)) == 1
    _cut("image/*/disk.raw", 7)(place)
    assert path.stat().st_size == 7
    _delete("image/*/disk.raw")(place)
    assert not path.exists()
