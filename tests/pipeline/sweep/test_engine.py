"""The questions of a sweep, and the executor that answers them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.pipeline.sweep import engine
from atomic_lib.pipeline.sweep.engine import Engine, SolverAnswer, SolverQuestion, answers, pool_answer, question_of
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.running_dnf.prediction import Resolved
from atomic_lib.solve.running_dnf.solver_pool import SolverPool
from atomic_lib.solve.solver import Solved

RECIPE = Recipe((Path("r.yaml"), Path("part.yaml")), ("bash",), documentation=True, languages=("en",))
FOUND = SolverAnswer({"bash": Solved("bash", "bash-1", 1, 2)}, ())


def test_recipes_that_dnf_cannot_tell_apart_ask_one_question() -> None:
    other = replace(RECIPE, files=RECIPE.files[:1], documentation=False, languages=None, default_target="x.target")
    assert question_of(RECIPE, ("a",)) == question_of(other, ("a",))


@pytest.mark.parametrize(
    "change",
    [
        {"packages": ("bash", "less")}, {"groups": ("core",)}, {"excludes": ("sudo",)}, {"repos": ("r",)},
        {"extra_repos": ("r",)}, {"repo_packages": (("r", ("a",)),)}, {"lockfile_repos": ("r",)},
        {"weak_dependencies": False}, {"releasever": "42"},
    ],
)  # fmt: skip
def test_what_a_solution_depends_on_is_another_question(change: dict[str, object]) -> None:
    assert question_of(replace(RECIPE, **change), ()) != question_of(RECIPE, ())  # type: ignore[arg-type]
    assert question_of(RECIPE, ("sudo",)) != question_of(RECIPE, ())


def pool_of(error: CommandError | None, monkeypatch: pytest.MonkeyPatch) -> SolverPool:
    """A pool whose dnf gives an error, or finds bash."""

    def resolve(dnf: Mock, comps: object, *, excluded: tuple[str, ...]) -> Resolved:
        if error:
            raise error
        return Resolved(dnf.recipe, FOUND.packages)

    monkeypatch.setattr(engine, "resolve", resolve)
    monkeypatch.setattr(engine, "replace", lambda dnf, recipe: dnf)
    described = {"bash-1": Mock()}
    return SolverPool(lambda _: Mock(describe=lambda nevras: described, process=Mock(usable=True)), 1)


def test_no_solution_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    error = CommandError("dnf install: exit status 1")
    error.status = 1
    assert pool_answer(pool_of(error, monkeypatch), (), question_of(RECIPE, ())) is None


@pytest.mark.parametrize("status", [None, 2, -9])
def test_a_dnf_that_fails_otherwise_is_an_error(status: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    error = CommandError("dnf: died")
    error.status = status
    with pytest.raises(CommandError, match="died"):
        pool_answer(pool_of(error, monkeypatch), (), question_of(RECIPE, ()))


def test_packages_are_described_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, described = pool_of(None, monkeypatch), {}  # type: ignore[var-annotated]
    assert pool_answer(pool, (), question_of(RECIPE, ())) == FOUND
    assert pool_answer(pool, (), question_of(RECIPE, ()), described) == FOUND
    assert set(described) == {"bash-1"}


QUESTIONS = [question_of(RECIPE, (str(number),)) for number in range(40)]


@contextmanager
def engine_of(answer: Mock) -> Iterator[Engine]:
    with ThreadPoolExecutor(2) as threads:
        yield Engine(threads, answer)


def test_each_question_is_answered() -> None:
    said = {one: SolverAnswer({}, one.excluded) for one in QUESTIONS}
    with engine_of(Mock(side_effect=said.get)) as threads:
        assert dict(answers(threads, QUESTIONS)) == said


def test_an_error_ends_the_others() -> None:
    asked: list[SolverQuestion] = []

    def answer(question: SolverQuestion) -> SolverAnswer:
        asked.append(question)
        if question == QUESTIONS[0]:
            raise CommandError("dnf: died")
        time.sleep(0.05)
        return FOUND

    with ExitStack() as stack:
        threads = stack.enter_context(engine_of(Mock(side_effect=answer)))
        with pytest.raises(CommandError, match="died"):
            list(answers(threads, QUESTIONS))
    assert len(asked) < len(QUESTIONS)
