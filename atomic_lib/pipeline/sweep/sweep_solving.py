"""Solves the variants of a sweep: one content for all, several long-running dnfs, and each solution is kept.

A solution is a stage of its own, so that an interrupted sweep resumes where it was, and a changed one solves only what
is new. A solution that fails is not kept.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.base.progress import reached
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import Stored
from atomic_lib.content.comps import Comps
from atomic_lib.content.repositories import Content, open_content
from atomic_lib.params.sweep_file import SweepCell
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.build import local_rpms_of
from atomic_lib.pipeline.explore.choices import Choices, changed_recipe, excluded_names, require_counterparts
from atomic_lib.pipeline.sweep.engine import (
    Engines,
    SolverAnswer,
    SolverQuestion,
    Solving,
    answers,
    local_engine,
    question_of,
)
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.recipe_demand import joined_demand, recipe_demand
from atomic_lib.recipe.standin_recipe import standin_recipe
from atomic_lib.results.sweep_result import SolvedVariant
from atomic_lib.solve.explain.without import solved_inputs
from atomic_lib.solve.running_dnf.described import Described
from atomic_lib.solve.running_dnf.prediction import Prediction, described_packages, predict
from atomic_lib.solve.running_dnf.solver_pool import SolverPool, solver_pool
from atomic_lib.solve.running_dnf.solver_process import RunningDnf
from atomic_lib.tools.context import Context

WORKERS_MOST = 8
"""More dnfs than this gain little: the workbook's own work between the solutions is that of one processor."""


@dataclass(frozen=True)
class SolveRequest:
    """A recipe to resolve without some packages; ``predict`` does it."""

    recipe: Recipe
    content: Content
    excluded: tuple[str, ...]
    predict: Callable[[], Prediction]


def _inputs(request: SolveRequest, _: Context) -> dict[str, object]:
    left_out = {"documentation": request.recipe.documentation, "languages": request.recipe.languages}
    return {**solved_inputs(request.recipe, request.content), "asked": request.excluded, **left_out}


def _make(request: SolveRequest, _: Context, directory: Path) -> None:
    prediction = request.predict()
    packages = [
        [package.name, package.nevra, prediction.installed_bytes_of(name), package.download_bytes]
        for name, package in sorted(prediction.packages.items())
    ]
    (directory / "solution.json").write_text(json.dumps({"packages": packages, "removed": prediction.removed}))


SOLUTION = Stage("solution", _make, _inputs, title=lambda request: f"solve {request.recipe.files[0]}", silent=True)


class SweepContent:
    """The content of all variants of a sweep that name it, and what was read from it.

    Raises WorkbookError for a recipe that is not accepted, and as ``open_content`` does.
    """

    def __init__(
        self,
        cells: Sequence[SweepCell],
        context: Context,
        params: Path = PARAMS_DIRECTORY,
        *,
        engines: Engines = local_engine,
    ) -> None:
        self._context, self._params, self._engines = context, params, engines
        self._described: dict[str, Described] = {}
        self._whole = _whole_recipes(cells, params)
        demands = {
            recipe_demand(self._changed(cell), strict=cell.variant.strict, local=local_rpms_of(cell.variant))
            for cell in cells
        }
        joined = joined_demand(sorted(demands, key=lambda one: (one.words, one.groups, one.excludes)))
        self.content = open_content(cells[0].variant.content, context, joined, params)
        self._comps: tuple[Comps, ...] = tuple(self.content.comps(context.tools))
        self._adapted: dict[tuple[Variant, tuple[str, ...]], Recipe] = {}

    def request(self, cell: SweepCell) -> SolveRequest:
        """What to resolve for a cell; its ``predict`` is set when a dnf is there.

        Raises WorkbookError for what stand-in content lacks: a package to add, and with ``strict`` any one.
        """
        choices, key = _choices(cell), (cell.variant, cell.add)
        if key not in self._adapted:
            recipe = self._changed(cell)
            if self.content.stands_in:
                require_counterparts(choices, self.content)
                recipe = standin_recipe(recipe, self.content.missing, self.content.name, strict=cell.variant.strict)
            self._adapted[key] = recipe
        return SolveRequest(self._adapted[key], self.content, excluded_names(choices, self._comps), _without_dnf)

    def _changed(self, cell: SweepCell) -> Recipe:
        return changed_recipe(self._whole[cell.variant], cell.variant, _choices(cell), self._params)

    def solved(self, cells: Sequence[SweepCell]) -> Mapping[str, SolvedVariant]:
        """What each cell resolves to, by its name; dnf is asked what is not stored yet, each question once."""
        requests = {cell.name: self.request(cell) for cell in cells}
        solved: dict[str, SolvedVariant] = {}
        waiting: dict[SolverQuestion, list[str]] = {}
        for name, request in requests.items():
            if stored := SOLUTION.stored(request, self._context):
                solved[name] = read_solution(stored)
            else:
                waiting.setdefault(question_of(request.recipe, request.excluded), []).append(name)
        if waiting:
            solved.update(self._asked(requests, waiting))
        return solved

    def _asked(
        self, requests: Mapping[str, SolveRequest], waiting: Mapping[SolverQuestion, Sequence[str]]
    ) -> Iterator[tuple[str, SolvedVariant]]:
        """What the cells resolve to, by name, as the answers arrive; those without a solution come last."""
        names = [name for same in waiting.values() for name in same]
        start, count = requests[names[0]].recipe, min(os.cpu_count() or 1, WORKERS_MOST, len(waiting))
        unsolved: list[str] = []
        done = 0
        with (
            solver_pool(self._context.tools, self.content, start, count) as pool,
            ThreadPoolExecutor(count, thread_name_prefix="dnf") as threads,
        ):
            solving = Solving(self.content, self._comps, pool, threads, start, self._described)
            with self._engines(solving) as engine:
                for question, answer in answers(engine, list(waiting)):
                    if answer is None:
                        unsolved += waiting[question]
                        continue
                    for name in waiting[question]:
                        yield name, self._kept(pool, requests[name], answer)
                    done += len(waiting[question])
                    reached(f"{done} of {len(names)} variants")
            reasons = threads.map(lambda name: self._kept(pool, requests[name], None), unsolved)
            yield from zip(unsolved, reasons, strict=True)

    def _kept(self, pool: SolverPool, request: SolveRequest, answer: SolverAnswer | None) -> SolvedVariant:
        """The figures of a cell, whose solution is stored; where there is none, its reason, which is not."""
        answered = replace(request, predict=lambda: self._prediction(pool, request, answer))
        try:
            return read_solution(SOLUTION.get(answered, self._context))
        except (CommandError, SetupError):  # no answer to the question
            raise
        except WorkbookError as error:
            return SolvedVariant(error=error.message)

    def _prediction(self, pool: SolverPool, request: SolveRequest, answer: SolverAnswer | None) -> Prediction:
        if answer is None:
            return pool.answer(self._explained, request)
        described = described_packages(
            lambda nevras: pool.answer(lambda dnf, asked: dnf.describe(asked), nevras), answer.packages, self._described
        )
        return Prediction(request.recipe, answer.packages, described, self._comps, answer.removed)

    def _explained(self, dnf: RunningDnf, request: SolveRequest) -> Prediction:
        """What a compose would install; raises WorkbookError as ``predict`` does."""
        asked = replace(dnf, recipe=request.recipe)
        return predict(asked, self._comps, self._described, excluded=request.excluded, lift=False)


def read_solution(stored: Stored) -> SolvedVariant:
    """The figures of a stored solution."""
    data = json.loads((stored.path / "solution.json").read_text())
    packages = data["packages"]
    nevras = "".join(f"{nevra}\n" for nevra in sorted(row[1] for row in packages))
    return SolvedVariant(
        package_count=len(packages),
        installed_bytes=sum(row[2] for row in packages),
        download_bytes=sum(row[3] for row in packages),
        packages_sha256=hashlib.sha256(nevras.encode()).hexdigest(),
        removed=tuple(data["removed"]),
    )


def package_names(stored: Stored) -> list[str]:
    """The names of the packages of a stored solution, sorted."""
    return [row[0] for row in json.loads((stored.path / "solution.json").read_text())["packages"]]


def _whole_recipes(cells: Sequence[SweepCell], params: Path) -> dict[Variant, Recipe]:
    found: dict[Variant, Recipe] = {}
    for variant in dict.fromkeys(cell.variant for cell in cells):
        recipe = load_recipe(variant, params)
        if recipe.ostree_source:
            raise WorkbookError(
                f"{variant.variant}: its packages are those of a commit, so nothing resolves them",
                hint="choose the recipe that the commit was composed from",
            )
        found[variant] = recipe
    return found


def _choices(cell: SweepCell) -> Choices:
    choices = Choices(add=cell.add, exclude=cell.exclude)
    choices.check()
    return choices


def _without_dnf() -> Prediction:
    raise AssertionError("asked without a dnf")
