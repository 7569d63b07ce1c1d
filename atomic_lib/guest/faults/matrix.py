"""The faults run against agents, and the matrix of what became of them."""

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
from atomic_lib.guest.faults.agents import Agent
from atomic_lib.guest.faults.catalogue import FAULTS
from atomic_lib.guest.faults.documented import documented_cells
from atomic_lib.guest.faults.fault import Fault
from atomic_lib.guest.faults.outcome import Outcome, State, judge_all

SCHEMA = 1
_SECONDS = 300
_WORKERS = 4  # most faults wait rather than work


@dataclass(frozen=True)
class Result:
    """One agent that met one fault, in each of the runs that the fault has."""

    fault: str
    agent: str
    states: tuple[State, ...]


@dataclass(frozen=True)
class Cell:
    """One fault of one agent. ``why``: what the outcome follows from; ``run``: seen, not read in a documentation."""

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
    cells: tuple[Cell, ...]
    trees: tuple[tuple[str, str], ...] = ()
    not_run: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data, with the version of its schema."""
        return {"schema": SCHEMA, **asdict(self)}

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Matrix":
        """What ``to_json`` made."""
        faults, trees, not_run = (tuple((a, b) for a, b in data[name]) for name in ("faults", "trees", "not_run"))
        return Matrix(faults, tuple(data["agents"]), tuple(Cell(**cell) for cell in data["cells"]), trees, not_run)

    def cell(self, fault: str, agent: str) -> Cell | None:
        """The cell of a fault and an agent, if there is one."""
        return next((cell for cell in self.cells if (cell.fault, cell.agent) == (fault, agent)), None)


def run_fault(agent: Agent, fault: Fault) -> Result:
    """Run one fault, in namespaces of its own; needs bubblewrap and the right to make a network namespace.

    Raises CommandError where the apparatus itself failed.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
        words = [sys.executable, "-m", namespaces.__name__, fault.name, f"{scratch}/guest"]
        data = json.dumps({**asdict(agent), "root": str(agent.root), "files": [(str(a), b) for a, b in agent.files]})
        done = command.run([*NAMESPACES, *words], input=data, cwd=CHECKOUT, timeout_seconds=_SECONDS)
    states = tuple(State.from_json(state) for state in json.loads(done.stdout))
    return Result(fault.name, agent.name, states)


def run_conformance(
    agents: Sequence[Agent],
    faults: Sequence[Fault] = FAULTS,
    report: Callable[[Cell], object] = lambda cell: None,
    workers: int = _WORKERS,
) -> Matrix:
    """All faults against all agents, and beside them what the documentation of the agent of 2014 tells.

    ``report`` gets each cell that was run, in the order of the rows.
    """
    return matrix_of([cell for agent in agents for cell in run_agent(agent, faults, report, workers)], faults)


def run_agent(
    agent: Agent,
    faults: Sequence[Fault] = FAULTS,
    report: Callable[[Cell], object] = lambda cell: None,
    workers: int = _WORKERS,
) -> tuple[Cell, ...]:
    """Every fault of one agent; ``report`` gets those that can be put to it, in the order of the rows.

    Raises CommandError as ``run_fault`` does.
    """
    reasons = {fault.name: agent.why_not(fault) for fault in faults}
    cells = [
        Cell(name, agent.name, "unknown", f"not run, because {why}", False) for name, why in reasons.items() if why
    ]
    with ThreadPoolExecutor(workers) as pool:
        put = [fault for fault in faults if not reasons[fault.name]]
        for fault, result in zip(put, pool.map(lambda fault: run_fault(agent, fault), put), strict=True):
            cells.append(cell_of(fault, result))
            report(cells[-1])
    return tuple(cells)


def matrix_of(
    cells: Sequence[Cell],
    faults: Sequence[Fault] = FAULTS,
    trees: Mapping[str, str] | None = None,
    not_run: Mapping[str, str] | None = None,
) -> Matrix:
    """What was run, and beside it the agent of 2014; see ``Matrix`` for ``trees`` and ``not_run``."""
    whole = (*cells, *documented_matrix(faults))
    names = tuple(dict.fromkeys(cell.agent for cell in whole))
    rows = tuple((fault.name, fault.title) for fault in faults)
    return Matrix(rows, names, whole, tuple((trees or {}).items()), tuple((not_run or {}).items()))


def cell_of(fault: Fault, result: Result) -> Cell:
    """The verdict over one result; requests and seconds are the most of any boot."""
    outcome, why = judge_all(fault, result.states)
    boots = [boot for state in result.states for boot in state.boots]
    requests = max(len(boot.requests) for boot in boots)
    return Cell(result.fault, result.agent, outcome, why, True, requests, max(boot.seconds for boot in boots))


def documented_matrix(faults: Iterable[Fault]) -> list[Cell]:
    """The column of the agent of 2014."""
    return [Cell(fault.name, told.agent, told.outcome, told.why, False) for fault, told in documented_cells(faults)]


NAMESPACES = (
    "bwrap", "--die-with-parent", "--unshare-net", "--unshare-pid", "--unshare-uts", "--unshare-ipc",
    *(() if os.geteuid() == 0 else ("--unshare-user", "--uid", "0", "--gid", "0")),
    "--hostname", "localhost",  # an agent may take the name that the machine has, and it goes into the matrix
    "--cap-add", "ALL", "--dev-bind", "/", "/", "--proc", "/proc", "--",
)  # fmt: skip
