"""Agents tested against injected faults, and the matrix of the outcomes."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from atomic_lib.base import command
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.guest.faults import namespaces
from atomic_lib.guest.faults.agents import RunnableAgent
from atomic_lib.guest.faults.catalogue import FAULTS
from atomic_lib.guest.faults.documented import documented_cells
from atomic_lib.guest.faults.fault import Fault
from atomic_lib.guest.faults.outcome import Outcome, State, judge_all

SCHEMA = 1
_SECONDS = 300
_WORKERS = 4  # most faults wait rather than work


@dataclass(frozen=True)
class Result:
    """One agent under one fault: the end state of each run that the fault has."""

    fault: str
    agent: str
    states: tuple[State, ...]


@dataclass(frozen=True)
class MatrixCell:
    """One agent under one fault. ``why``: what the outcome follows from; ``run``: observed, not documented."""

    fault: str
    agent: str
    outcome: Outcome
    why: str
    run: bool
    requests: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Matrix:
    """Faults by agents. ``faults``: name and title of each row, in order.

    ``trees``: the variant whose tree an agent was run in, by agent; ``not_run``: why others were not run.
    """

    faults: tuple[tuple[str, str], ...]
    agents: tuple[str, ...]
    cells: tuple[MatrixCell, ...]
    trees: tuple[tuple[str, str], ...] = ()
    not_run: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data, with the version of its schema."""
        return {"schema": SCHEMA, **asdict(self)}

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Matrix":
        """What ``to_json`` made."""
        faults, trees, not_run = (tuple((a, b) for a, b in data[name]) for name in ("faults", "trees", "not_run"))
        return Matrix(
            faults, tuple(data["agents"]), tuple(MatrixCell(**cell) for cell in data["cells"]), trees, not_run
        )

    def cell(self, fault: str, agent: str) -> MatrixCell | None:
        """The cell of a fault and an agent, if there is one."""
        return next((cell for cell in self.cells if (cell.fault, cell.agent) == (fault, agent)), None)


def run_fault(agent: RunnableAgent, fault: Fault) -> Result:
    """Run one fault, in namespaces of its own; needs bubblewrap and the right to make a network namespace.

    Raises CommandError where the test itself failed.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
        words = [sys.executable, "-m", namespaces.__name__, fault.name, f"{scratch}/guest"]
        data = json.dumps({**asdict(agent), "root": str(agent.root), "files": [(str(a), b) for a, b in agent.files]})
        done = command.run([*NAMESPACES, *words], input=data, cwd=CHECKOUT, timeout_seconds=_SECONDS)
    states = tuple(State.from_json(state) for state in json.loads(done.stdout))
    return Result(fault.name, agent.name, states)


def run_conformance(
    agents: Sequence[RunnableAgent],
    faults: Sequence[Fault] = FAULTS,
    report: Callable[[MatrixCell], object] = lambda cell: None,
    workers: int = _WORKERS,
) -> Matrix:
    """All agents under all faults, and beside them the agent of 2014 by its documentation.

    ``report`` gets each cell that was run, in the order of the rows.
    """
    return matrix_of([cell for agent in agents for cell in run_agent(agent, faults, report, workers)], faults)


def run_agent(
    agent: RunnableAgent,
    faults: Sequence[Fault] = FAULTS,
    report: Callable[[MatrixCell], object] = lambda cell: None,
    workers: int = _WORKERS,
) -> tuple[MatrixCell, ...]:
    """One agent under every fault; ``report`` gets each cell that was run, in the order of the rows.

    Raises CommandError as ``run_fault`` does.
    """
    reasons = {fault.name: agent.why_not(fault) for fault in faults}
    cells = [
        MatrixCell(name, agent.name, "unknown", f"not run, because {why}", False)
        for name, why in reasons.items()
        if why
    ]
    with ThreadPoolExecutor(workers) as pool:
        possible = [fault for fault in faults if not reasons[fault.name]]
        for fault, result in zip(possible, pool.map(lambda fault: run_fault(agent, fault), possible), strict=True):
            cells.append(cell_of(fault, result))
            report(cells[-1])
    return tuple(cells)


def matrix_of(
    cells: Sequence[MatrixCell],
    faults: Sequence[Fault] = FAULTS,
    trees: Mapping[str, str] | None = None,
    not_run: Mapping[str, str] | None = None,
) -> Matrix:
    """The cells that were run, and beside them the agent of 2014; see ``Matrix`` for ``trees`` and ``not_run``."""
    whole = (*cells, *documented_matrix(faults))
    names = tuple(dict.fromkeys(cell.agent for cell in whole))
    rows = tuple((fault.name, fault.title) for fault in faults)
    return Matrix(rows, names, whole, tuple((trees or {}).items()), tuple((not_run or {}).items()))


def cell_of(fault: Fault, result: Result) -> MatrixCell:
    """The verdict over one result; requests and seconds are the most of any boot."""
    outcome, why = judge_all(fault, result.states)
    boots = [boot for state in result.states for boot in state.boots]
    requests = max(len(boot.requests) for boot in boots)
    return MatrixCell(result.fault, result.agent, outcome, why, True, requests, max(boot.seconds for boot in boots))


def documented_matrix(faults: Iterable[Fault]) -> list[MatrixCell]:
    """The column of the agent of 2014."""
    cells = documented_cells(faults)
    return [MatrixCell(fault.name, known.agent, known.outcome, known.why, False) for fault, known in cells]


NAMESPACES = (
    "bwrap", "--die-with-parent", "--unshare-net", "--unshare-pid", "--unshare-uts", "--unshare-ipc",
    *(() if os.geteuid() == 0 else ("--unshare-user", "--uid", "0", "--gid", "0")),
    "--hostname", "localhost",  # an agent may take the name that the machine has, and it goes into the matrix
    "--cap-add", "ALL", "--dev-bind", "/", "/", "--proc", "/proc", "--",
)  # fmt: skip
