"""Several dnfs that share questions: the order of answers, a dnf that dies. The real ones: tests/integration."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.solve.running_dnf.solver_pool import SolverPool
from atomic_lib.solve.running_dnf.solver_process import RunningDnf


@dataclass
class FakeProcess:
    usable: bool = True


@dataclass
class FakeDnf:
    process: FakeProcess
    ended: bool = False

    def end(self) -> None:
        self.ended = True


class Pool:
    """A pool of dnfs, all of which it remembers."""

    def __init__(self, count: int = 2) -> None:
        self.started: list[FakeDnf] = []
        self.pool = SolverPool(self._start, count)

    def _start(self, stack: ExitStack) -> RunningDnf:
        dnf = FakeDnf(FakeProcess())
        stack.callback(dnf.end)
        self.started.append(dnf)
        return cast(RunningDnf, dnf)

    def ask(self, dnf: Any, question: int) -> int:
        return question * 10

    def answers(self, ask: Any, questions: Iterable[int]) -> list[int]:
        """The answers to questions that are asked at once, as many as there are dnfs."""
        with ThreadPoolExecutor(self.pool.count) as threads:
            return list(threads.map(lambda question: self.pool.answer(ask, question), questions))


def killed(status: int | None) -> CommandError:
    error = CommandError("dnf: died")
    error.status = status
    return error


def test_answers_are_in_the_order_of_the_questions() -> None:
    pool = Pool()
    assert pool.answers(pool.ask, range(50)) == [number * 10 for number in range(50)]
    assert len(pool.started) <= 2
    pool.pool.close()
    assert all(dnf.ended for dnf in pool.started)


def test_a_dnf_that_dies_is_started_again_and_its_question_asked_again() -> None:
    pool = Pool(1)
    dead: list[FakeDnf] = []

    def ask(dnf: Any, question: int) -> int:
        if question == 3 and not dead:
            dead.append(dnf)
            dnf.process.usable = False
            raise killed(137)
        return question

    assert pool.answers(ask, range(6)) == list(range(6))
    assert len(pool.started) == 2
    assert dead[0].ended


def test_a_child_that_is_killed_is_asked_again_of_the_same_dnf() -> None:
    pool, asked = Pool(1), []

    def ask(_: Any, question: int) -> int:
        asked.append(question)
        if len(asked) == 1:
            raise killed(-9)
        return question

    assert pool.pool.answer(ask, 7) == 7
    assert len(pool.started) == 1


def test_a_question_that_kills_each_dnf_is_an_error() -> None:
    pool = Pool(1)

    def ask(dnf: Any, _: int) -> int:
        dnf.process.usable = False
        raise killed(137)

    with pytest.raises(CommandError, match="died"):
        pool.pool.answer(ask, 1)
    assert len(pool.started) == 3


@pytest.mark.parametrize("error", [killed(1), WorkbookError("no solution")])
def test_an_error_of_a_dnf_that_runs_is_raised_at_once(error: WorkbookError) -> None:
    pool, asked = Pool(1), []

    def ask(_: Any, question: int) -> int:
        asked.append(question)
        raise error

    with pytest.raises(type(error)):
        pool.pool.answer(ask, 1)
    assert asked == [1]


def test_a_dnf_that_has_started_is_asked_before_another_one_starts() -> None:
    pool = Pool(3)
    assert [pool.pool.answer(pool.ask, question) for question in range(5)] == [0, 10, 20, 30, 40]
    assert len(pool.started) == 1
