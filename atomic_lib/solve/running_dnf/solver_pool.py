"""Several long-running dnfs that share the work: each answers one question at a time.

A dnf that dies, or does not answer, is started again, and its question is asked once more.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from queue import LifoQueue
from typing import TypeVar

from atomic_lib.base.command import CommandError
from atomic_lib.base.progress import NOTED, say
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.running_dnf.solver_process import RunningDnf, running_dnf
from atomic_lib.tools.sandbox import Tools

_ATTEMPTS = 3
"""How often a question is asked whose dnf dies each time: then it is the question that kills it."""

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass
class _Worker:
    """A dnf, and what ends it."""

    dnf: RunningDnf
    stack: ExitStack


class SolverPool:
    """``count`` dnfs, which start when they are needed. Several threads may ask at once."""

    def __init__(self, start: Callable[[ExitStack], RunningDnf], count: int) -> None:
        self._start = start
        self._idle: LifoQueue[_Worker | None] = LifoQueue()  # the last one first: it has started
        self.count = count
        for _ in range(count):
            self._idle.put(None)

    def answer(self, ask: Callable[[RunningDnf, Question], Answer], question: Question) -> Answer:
        """The answer of a dnf that is idle; waits for one. Raises what ``ask`` raises.

        An error of a dnf that has died is none of the question: it is asked again.
        """
        worker = self._idle.get()
        try:
            for attempt in range(_ATTEMPTS):
                worker = self._usable(worker)
                try:
                    return ask(worker.dnf, question)
                except CommandError as error:
                    killed = not worker.dnf.process.usable or (error.status is not None and error.status < 0)
                    if not killed or attempt == _ATTEMPTS - 1:
                        raise
            raise AssertionError("the last attempt returns or raises")
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End all dnfs."""
        for _ in range(self.count):
            worker = self._idle.get()
            if worker:
                worker.stack.close()

    def _usable(self, worker: _Worker | None) -> _Worker:
        if worker and worker.dnf.process.usable:
            return worker
        if worker:
            say(f"{NOTED} a dnf that answers questions has ended; another one is started, and asked again")
            worker.stack.close()
        with ExitStack() as stack:
            return _Worker(self._start(stack), stack.pop_all())


@contextmanager
def solver_pool(tools: Tools, content: Content, recipe: Recipe, count: int) -> Iterator[SolverPool]:
    """A pool of dnfs with the repositories that ``recipe`` uses of ``content``; they end with the block."""
    pool = SolverPool(lambda stack: stack.enter_context(running_dnf(tools, content, recipe)), count)
    try:
        yield pool
    finally:
        pool.close()
