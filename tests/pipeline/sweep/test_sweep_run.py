"""A sweep with a dnf that is not real: which solutions are asked for, kept and written, and the words on the command
line."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.cli import main
from atomic_lib.content.demand import Demand
from atomic_lib.params.sweep_file import Sweep, SweepCell, sweep_cells
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.sweep import engine, sweep_run, sweep_solving
from atomic_lib.pipeline.sweep.engine import Engine, SolverAnswer, SolverQuestion, Solving
from atomic_lib.pipeline.sweep.sweep_run import run_sweep, solve_sweep, solve_without_each
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.results.sweep_result import BuiltVariant, SolvedVariant, SweepResult, SweepRow, sweep_csv
from atomic_lib.solve.running_dnf.described import FilesTogether
from atomic_lib.solve.running_dnf.prediction import Prediction, Resolved
from atomic_lib.solve.solver import Solved
from atomic_lib.tools import user_namespace
from tests.contexts import own_context

SWEEP = Sweep.model_validate(
    {
        "sweep": "tools",
        "cells": {
            "variant": "atomic",
            "factors": {
                "tools": {"none": {}, "htop": {"add": "htop"}},
                "sudo": {"kept": {}, "none": {"exclude": "sudo"}},
            },
            "crossed": "all",
        },
    }
)


@dataclass(frozen=True)
class FakeDnf:
    recipe: Recipe
    process: SimpleNamespace

    def describe(self, nevras: Collection[str]) -> dict[str, Any]:
        names = {nevra.removesuffix("-1") for nevra in nevras}
        return {f"{name}-1": SimpleNamespace(content=(FilesTogether(False, "", 1000 * len(name)),)) for name in names}


def unsolvable() -> CommandError:
    """dnf's error if there is no solution."""
    error = CommandError("dnf install: exit status 1")
    error.status = 1
    return error


@dataclass
class Asked:
    """What the dnfs are asked: each recipe's packages with what is excluded; and the errors by excluded word."""

    questions: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)
    errors: dict[str, WorkbookError] = field(default_factory=dict)
    started: int = 0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked()

    def open_content(name: str, _: object, demand: Demand, params: Path) -> Mock:
        found.demands.append(demand)
        content = Mock(stands_in=True, missing=(), comps=lambda _: [], key="k", title="Stand-in", releasever="1")
        content.name = name
        return content

    @contextmanager
    def running_dnf(_: object, __: object, recipe: Recipe) -> Iterator[FakeDnf]:
        found.started += 1
        yield FakeDnf(recipe, SimpleNamespace(usable=True))

    def resolve(dnf: FakeDnf, _: object, *, excluded: tuple[str, ...]) -> Resolved:
        found.questions.append((dnf.recipe.packages, excluded))
        for word in excluded:
            if word in found.errors:
                error = found.errors[word]
                raise found.errors.pop(word) if isinstance(error, CommandError) and error.status == -9 else error
        names = [word for word in dnf.recipe.packages if word in ("sudo", "htop", "bash") and word not in excluded]
        packages = {name: Solved(name, f"{name}-1", len(name), 1000 * len(name)) for name in names}
        return Resolved(dnf.recipe, packages, excluded)

    def predict(dnf: FakeDnf, *_: object, excluded: tuple[str, ...], lift: bool) -> Prediction:
        assert not lift
        raise WorkbookError(f"{dnf.recipe.files[0].name}: dnf found no solution without {excluded[0]}")

    monkeypatch.setattr(sweep_solving, "open_content", open_content)
    monkeypatch.setattr("atomic_lib.solve.running_dnf.solver_pool.running_dnf", running_dnf)
    monkeypatch.setattr(engine, "resolve", resolve)
    monkeypatch.setattr(sweep_solving, "predict", predict)
    return found


@pytest.mark.usefixtures("asked")
def test_each_cell_has_its_own_solution(tmp_path: Path) -> None:
    result = solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path))
    assert {row.variant: row.solved.installed_bytes for row in result.rows} == {
        "base": 8000, "tools-htop": 12000, "sudo-none": 4000, "tools-htop.sudo-none": 8000,
    }  # fmt: skip
    assert [row.solved.removed for row in result.rows if row.variant == "sudo-none"] == [("sudo",)]
    assert {effect.level: effect.differences for effect in result.effects("installed_bytes")} == {
        "htop": (4000, 4000), "none": (-4000, -4000),
    }  # fmt: skip


def test_one_content_has_what_all_cells_ask_for(asked: Asked, tmp_path: Path) -> None:
    solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path))
    (demand,) = asked.demands
    assert {"htop", "sudo", "bash"} <= set(demand.words)


def test_what_was_solved_is_not_asked_again(asked: Asked, tmp_path: Path) -> None:
    first = solve_sweep(SWEEP, sweep_cells(SWEEP)[:3], own_context(tmp_path))
    assert len(asked.questions) == 3
    whole = solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path))
    assert len(asked.questions) == 4
    assert whole.rows[:3] == first.rows
    started = asked.started
    assert solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path)) == whole
    assert asked.started == started


def test_variants_that_dnf_cannot_tell_apart_ask_once(asked: Asked, tmp_path: Path) -> None:
    factors = {"docs": {"without": {}, "with": {"parts": "docs"}}}
    sweep = Sweep.model_validate({"sweep": "docs", "cells": {"variant": "atomic", "factors": factors}})
    rows = solve_sweep(sweep, sweep_cells(sweep), own_context(tmp_path)).rows
    assert [row.variant for row in rows] == ["base", "docs-with"]
    assert len(asked.questions) == 1
    assert solve_sweep(sweep, sweep_cells(sweep), own_context(tmp_path)).rows == rows
    assert len(asked.questions) == 1


def test_the_engine_that_is_named_answers(asked: Asked, tmp_path: Path) -> None:
    said: list[SolverQuestion] = []

    @contextmanager
    def engines(solving: Solving) -> Iterator[Engine]:
        def answer(question: SolverQuestion) -> SolverAnswer:
            said.append(question)
            return SolverAnswer({"sudo": Solved("sudo", "sudo-1", 4, 9)}, ())

        with ThreadPoolExecutor(3) as executor:
            yield Engine(executor, answer)

    result = solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path), engines=engines)
    assert len(said) == 4
    assert asked.questions == []
    assert {row.solved.installed_bytes for row in result.rows} == {4000}  # as this machine's dnf describes it


def test_a_worker_that_is_killed_changes_nothing_of_the_table(asked: Asked, tmp_path: Path) -> None:
    whole = solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path / "one"))
    killed = CommandError("dnf: died")
    killed.status = -9
    asked.errors["sudo"] = killed
    assert sweep_csv(solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path / "two"))) == sweep_csv(whole)
    assert len(asked.questions) == 4 + 5


def test_a_variant_without_a_solution_has_its_reason_and_is_not_stored(asked: Asked, tmp_path: Path) -> None:
    asked.errors["sudo"] = unsolvable()
    rows = solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path)).rows
    assert {row.variant: row.solved.error for row in rows if row.solved.error} == {
        name: "atomic.yaml: dnf found no solution without sudo" for name in ("sudo-none", "tools-htop.sudo-none")
    }
    assert rows[0].solved.package_count == 2
    asked.errors.clear()
    assert all(not row.solved.error for row in solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path)).rows)


def test_a_full_disk_ends_the_sweep_and_is_no_variant_without_a_solution(asked: Asked, tmp_path: Path) -> None:
    asked.errors["sudo"] = SetupError("no space left", hint="free some")
    with pytest.raises(SetupError, match="no space left"):
        solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path))


def test_a_variant_is_solved_without_each_of_its_packages(asked: Asked, tmp_path: Path) -> None:
    sweep = Sweep(sweep="each", without_each="atomic")
    result = solve_without_each(load_variant("atomic"), own_context(tmp_path), sweep)
    assert {row.variant: row.solved.installed_bytes for row in result.rows} == {
        "base": 8000, "without-bash": 4000, "without-sudo": 4000,
    }  # fmt: skip
    assert len(asked.demands) == 1


@pytest.mark.usefixtures("asked")
def test_an_added_package_that_content_lacks_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lacking = Mock(stands_in=True, missing=(SimpleNamespace(name="htop", similar=("top",)),), comps=lambda _: [])
    lacking.name = "standin"
    monkeypatch.setattr(sweep_solving, "open_content", lambda *_: lacking)
    with pytest.raises(WorkbookError, match="add: content 'standin' has no package 'htop'; similar: top"):
        solve_sweep(SWEEP, sweep_cells(SWEEP), own_context(tmp_path))


@pytest.mark.usefixtures("asked")
def test_a_word_that_is_an_option_is_refused(tmp_path: Path) -> None:
    cell = SweepCell("odd", {"tools": "odd"}, load_variant("atomic"), add=("--installroot=/",))
    with pytest.raises(WorkbookError, match="'--installroot=/' is not the name of a package"):
        solve_sweep(SWEEP, [cell], own_context(tmp_path))


@pytest.mark.usefixtures("asked")
def test_the_table_and_the_page_are_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweep_run, "BUILD", tmp_path / "build")
    monkeypatch.setattr(sweep_run, "require_namespace", lambda: None)
    monkeypatch.setattr(sweep_run, "open_context", lambda: own_context(tmp_path))
    monkeypatch.setattr(sweep_run, "remove_abandoned", lambda: None)
    file = tmp_path / "tools.yaml"
    file.write_text("sweep: tools\nwithout_each: atomic\n")
    store = own_context(tmp_path).store
    left = store.root / f"tmp/counted-boot-{2**22 + 1}-abc", store.path_of("raw-disk", "a" * 32)
    for path in left:  # by a process that was killed: no process has this number
        path.mkdir(parents=True)
    assert run_sweep(file, {}) == 0
    assert [path.exists() for path in left] == [False, False]
    table, page = map(Path, capsys.readouterr().out.split())
    assert table.read_text().count("\n") == 4
    assert "Which choices save most" in page.read_text()
    assert "without: sudo" in page.read_text()


@pytest.mark.parametrize("words", [["sweep"], ["sweep", "a.yaml", "--without-each", "atomic"]])
def test_a_sweep_is_of_a_file_or_of_a_variant(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


def test_a_sweep_needs_the_namespace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    assert main(["sweep", "--without-each", "atomic-min"]) == 1
    assert "needs a namespace" in capsys.readouterr().err
    assert main(["sweep", str(tmp_path / "none.yaml")]) == 1
    assert "none.yaml: cannot be read" in capsys.readouterr().err


def test_cells_of_one_recipe_differ_in_what_they_add(asked: Asked, tmp_path: Path) -> None:
    base = sweep_cells(SWEEP)[0]
    more = replace(base, name="more", levels={"tools": "more", "sudo": "kept"}, add=("htop",))
    rows = solve_sweep(SWEEP, [base, more], own_context(tmp_path)).rows
    assert rows[0].solved.packages_sha256 != rows[1].solved.packages_sha256


def test_neither_the_table_nor_the_page_names_a_directory_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sweep_run, "BUILD", tmp_path)
    failed = BuiltVariant(error=f"{CHECKOUT}/build/store/tmp/x: no space")
    row = SweepRow("base", {}, SolvedVariant(error=f"{CHECKOUT}/params/a.yaml: no solution"), failed)
    assert sweep_run._written(SweepResult("own", "Own", (), (row,))) == 1
    for name in ("variants.csv", "index.html"):
        text = (tmp_path / "sweeps/own" / name).read_text()
        assert "./params/a.yaml: no solution" in text
        assert str(CHECKOUT) not in text
