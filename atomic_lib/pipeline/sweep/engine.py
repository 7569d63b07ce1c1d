"""Who answers the questions of a sweep: an executor of ``concurrent.futures``, and the function that it runs.

By default the executor has threads of this process, each with a dnf of its own. That of dask.distributed runs the same
function at the workers of a cluster.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from atomic_lib.base.command import CommandError
from atomic_lib.content.comps import Comps
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.running_dnf.described import Described
from atomic_lib.solve.running_dnf.prediction import described_packages, resolve
from atomic_lib.solve.running_dnf.solver_pool import SolverPool
from atomic_lib.solve.running_dnf.solver_process import RunningDnf
from atomic_lib.solve.solver import Solved


@dataclass(frozen=True)
class SolverQuestion:
    """A recipe to resolve without the packages ``excluded``; it has nothing but what the solution depends on."""

    recipe: Recipe
    excluded: tuple[str, ...]


@dataclass(frozen=True)
class SolverAnswer:
    """The packages by name, and the entries of the recipe that cannot stay."""

    packages: Mapping[str, Solved]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class Engine:
    """``answer`` returns None where there is no solution; this machine's dnf then says why."""

    executor: Executor
    answer: Callable[[SolverQuestion], SolverAnswer | None]


@dataclass(frozen=True)
class Solving:
    """What an engine is made for: a content, dnfs of this machine that have loaded it, and the first recipe.

    ``threads``: as many as there are dnfs; a dnf ends with the thread that started it. ``described``: the packages that
    are described already, by NEVRA; an engine may add some.
    """

    content: Content
    comps: tuple[Comps, ...]
    pool: SolverPool
    threads: ThreadPoolExecutor
    recipe: Recipe
    described: dict[str, Described]


Engines = Callable[[Solving], AbstractContextManager[Engine]]


def question_of(recipe: Recipe, excluded: tuple[str, ...]) -> SolverQuestion:
    """The question that a recipe asks of dnf: recipes that differ in other things ask the same one."""
    return SolverQuestion(
        Recipe(
            files=recipe.files[:1],  # named in messages
            packages=recipe.packages,
            groups=recipe.groups,
            excludes=recipe.excludes,
            repos=recipe.repos,
            extra_repos=recipe.extra_repos,
            repo_packages=recipe.repo_packages,
            lockfile_repos=recipe.lockfile_repos,
            repositories=recipe.repositories,
            weak_dependencies=recipe.weak_dependencies,
            releasever=recipe.releasever,
        ),
        excluded,
    )


def pool_answer(
    pool: SolverPool, comps: Iterable[Comps], question: SolverQuestion, described: dict[str, Described] | None = None
) -> SolverAnswer | None:
    """What a dnf of the pool resolves a question to; None if there is no solution.

    ``described``: descriptions by NEVRA, to which those of new packages are added; None: nothing is described.

    Raises WorkbookError as ``resolve`` does, but for that.
    """

    def ask(dnf: RunningDnf, asked: SolverQuestion) -> SolverAnswer:
        found = resolve(replace(dnf, recipe=asked.recipe), comps, excluded=asked.excluded)
        if described is not None:
            described_packages(dnf.describe, found.packages, described)
        return SolverAnswer(found.packages, found.removed)

    try:
        return pool.answer(ask, question)
    except CommandError as error:
        if error.status != 1:  # dnf's status if it finds no solution
            raise
        return None


@contextmanager
def local_engine(solving: Solving) -> Iterator[Engine]:
    """Threads of this process, one for each dnf of the pool."""
    yield Engine(
        solving.threads, lambda question: pool_answer(solving.pool, solving.comps, question, solving.described)
    )


def answers(
    engine: Engine, questions: Sequence[SolverQuestion]
) -> Iterator[tuple[SolverQuestion, SolverAnswer | None]]:
    """The answers, each as soon as it is there; raises what ``answer`` raises, as soon as it does."""
    futures = {engine.executor.submit(engine.answer, question): question for question in questions}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        for future in futures:
            future.cancel()
