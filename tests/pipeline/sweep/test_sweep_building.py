"""Which variants of a sweep are made, and what of them is kept: with stages that make nothing."""

import json
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.compose.rpm_database import DatabaseFile
from atomic_lib.compose.tree_access.walk import Entry
from atomic_lib.pipeline.sweep import sweep_building
from atomic_lib.pipeline.sweep.sweep_building import (
    Amounts,
    _changed_bytes,
    booted_names,
    composed_names,
    with_built,
)
from atomic_lib.results.sweep_result import BuiltVariant, SolvedVariant, SweepRow

ROWS = tuple(
    SweepRow(name, {"size": name}, SolvedVariant(1, size, 1) if size else SolvedVariant(error="no solution"))
    for name, size in (("base", 500), ("a", 900), ("b", 100), ("c", 0), ("d", 700), ("e", 300), ("f", 800))
)


def test_the_base_is_composed_and_the_same_others_each_time() -> None:
    assert composed_names(ROWS, 0) == []
    assert composed_names(ROWS, 1) == ["base"]
    drawn = composed_names(ROWS, 4)
    assert drawn[0] == "base"
    assert len(set(drawn)) == 4
    assert drawn == composed_names(ROWS, 4)


def test_what_has_no_solution_is_not_made() -> None:
    assert set(composed_names(ROWS, 100)) == {"base", "a", "b", "d", "e", "f"}
    assert set(booted_names(ROWS, 100)) == {"base", "a", "b", "d", "e", "f"}
    unsolved = (replace(ROWS[0], solved=ROWS[3].solved), *ROWS[1:])
    assert "base" not in composed_names(unsolved, 100) + booted_names(unsolved, 100)


def test_the_base_the_smallest_and_the_largest_are_booted() -> None:
    assert booted_names(ROWS, 0) == []
    assert booted_names(ROWS, 1) == ["base"]
    assert booted_names(ROWS, 2) == ["base", "b"]
    assert booted_names(ROWS, 3) == ["base", "b", "a"]
    assert booted_names(ROWS, 4) == ["base", "b", "d", "a"]


PASSWD = {"/etc/passwd": 3}


class Made:
    """Stages that answer at once, and what they were asked for."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.at_once = 1
        self.errors: dict[str, WorkbookError] = {}
        self._directory = directory
        (directory / "installed.json").write_text(json.dumps({"composed_bytes": 501, "changed_bytes": PASSWD}))
        monkeypatch.setattr(sweep_building, "INSTALLED", Mock(get=self._installed))
        monkeypatch.setattr(sweep_building, "COUNTED_BOOT", Mock(get=self._booted))
        monkeypatch.setattr(sweep_building, "variants_at_once", lambda variants: self.at_once)
        counted = SimpleNamespace(busy_seconds=2.5)
        monkeypatch.setattr(sweep_building, "read_counted_boot", lambda path: counted)

    def _installed(self, build: Mock, _: object) -> SimpleNamespace:
        self.asked.append(f"install {build.variant.variant}")
        if error := self.errors.get(build.variant.variant):
            raise error
        return SimpleNamespace(path=self._directory)

    def _booted(self, boot: Mock, _: object) -> SimpleNamespace:
        self.asked.append(f"boot {boot.variant.variant}")
        return SimpleNamespace(path=self._directory)

    def rows(self, amounts: Amounts) -> dict[str, BuiltVariant | None]:
        """What was made of each variant."""
        made = with_built(ROWS, _build, amounts, self._directory / "evidence")
        assert [row.variant for row in made] == [row.variant for row in ROWS]
        return {row.variant: row.built for row in made}


def _build(name: str) -> Mock:
    build = Mock(image=Mock(allocated_bytes=1000), recipe=Mock(selinux="enforcing"))
    build.variant.variant = name
    return build


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    return Made(tmp_path, monkeypatch)


def test_what_is_booted_is_composed_as_well(made: Made) -> None:
    built = made.rows(Amounts(boot=2))
    assert made.asked == ["install base", "boot base", "install b", "boot b"]
    assert {name for name, one in built.items() if one} == {"base", "b"}
    assert built["b"] == BuiltVariant(501, PASSWD, 1000, 2.5)


def test_variants_are_made_side_by_side(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.at_once, both = 2, Barrier(2, timeout=10)
    real = made._installed

    def installed(build: Mock, context: object) -> SimpleNamespace:
        both.wait()
        return real(build, context)

    monkeypatch.setattr(sweep_building, "INSTALLED", Mock(get=installed))
    assert made.rows(Amounts(compose=2))["base"] == BuiltVariant(501, PASSWD)


def test_what_is_only_composed_is_neither_built_nor_booted(made: Made) -> None:
    built = made.rows(Amounts(compose=2, boot=1))
    assert [one for one in made.asked if one.startswith("boot")] == ["boot base"]
    (other,) = (one for name, one in built.items() if one and name != "base")
    assert other == BuiltVariant(501, PASSWD)


def test_nothing_is_made_unless_it_is_asked_for(made: Made) -> None:
    assert set(made.rows(Amounts()).values()) == {None}
    assert made.asked == []


def test_a_variant_that_cannot_be_made_says_why_and_the_others_are_made(made: Made) -> None:
    made.errors["base"] = WorkbookError("a scriptlet failed")
    built = made.rows(Amounts(boot=2))
    assert built["base"] == BuiltVariant(error="a scriptlet failed")
    assert built["b"] == BuiltVariant(501, PASSWD, 1000, 2.5)


def test_a_fault_of_the_setup_ends_the_sweep(made: Made) -> None:
    made.errors["base"] = SetupError("no space left", hint="free some")
    with pytest.raises(SetupError, match="no space left"):
        made.rows(Amounts(compose=1))


def test_bytes_that_were_not_predicted_are_told_apart_from_those_not_measured() -> None:
    assert ROWS[0].surplus_bytes is None
    assert replace(ROWS[0], built=BuiltVariant(501)).surplus_bytes == 1
    assert replace(ROWS[0], built=BuiltVariant(500)).surplus_bytes == 0
    assert replace(ROWS[0], built=BuiltVariant(503, PASSWD)).surplus_bytes == 0
    assert replace(ROWS[0], built=BuiltVariant(error="a scriptlet failed")).surplus_bytes is None


def test_only_files_of_one_package_that_have_another_size_are_changed() -> None:
    packaged = {
        "/etc/passwd": (DatabaseFile("setup", "", 0, 10),),
        "/usr/bin/sh": (DatabaseFile("sh", "", 0, 100),),
        "/usr/share/both": (DatabaseFile("a", "", 0, 1), DatabaseFile("b", "", 0, 2)),
    }
    entries = [
        Entry(path, "file", size_bytes, 0, inode)
        for inode, (path, size_bytes) in enumerate(
            {"/etc/passwd": 7, "/usr/bin/sh": 100, "/usr/share/both": 3, "/etc/own": 5}.items()
        )
    ]
    assert _changed_bytes(entries, packaged) == {"/etc/passwd": -3}
