"""The matrix of faults and agents: what became of each guest."""

import csv
import io
import json
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.faults.matrix import Matrix
from atomic_lib.guest.faults.matrix import MatrixCell as Verdict
from atomic_lib.report.page.elements import Cell, Details, Section, Table, missing, number, plural

MATRIX_FILE = "conformance.json"
CSV_FILE = "conformance.csv"
HOW = (
    "Each fault is one row. The agent itself is run, with the programs of the tree that is named, in a network, mount "
    "and process namespace of its own, against a metadata service at 169.254.169.254 that follows the fault's script; "
    "there is no virtual machine. A boot is an empty /run and the commands of the agent's units in their order; what "
    "/etc, /root and /var hold then is the end state. A power cut is made at every external command in turn, and what "
    "was not synced is lost. n = 1 for each cell, and one run for each cut. Times are wall-clock seconds of one boot "
    "on a busy machine: a bound is tested, nothing is compared. cloud-init is run over EC2, with the modules that "
    "provision; it has no row where the power is cut between commands, as it works inside its own process, and none "
    "with a disc. So that the table is made in minutes, the waits of the agents are shortened: 60 s to 3 to 15 s, "
    "cloud-init's 120 and 50 s to 12 and 5 s. The agent of 2014 was not run: its cells follow from its source and "
    "README."
)
_UNKNOWN = "not told by its documentation"
_DOCUMENTED = "not run: from its documentation"


def read_matrix(run_directory: Path) -> Matrix | None:
    """The matrix of a run whose study put faults to its agents; raises WorkbookError naming a damaged file."""
    path = run_directory / MATRIX_FILE
    if not path.exists():
        return None
    try:
        return Matrix.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WorkbookError(
            f"{path}: no matrix of faults and agents: {error!r}", hint="run ./workbook run again: it writes it anew"
        ) from None


def csv_text(matrix: Matrix) -> str:
    """One row for each fault and agent; an agent that was not run has none, but for the one that is documented."""
    out = io.StringIO()
    rows = csv.DictWriter(out, ("fault", "agent", "variant", "outcome", "why", "run", "requests", "seconds"),
                          lineterminator="\n")  # fmt: skip
    rows.writeheader()
    rows.writerows(_records(matrix))
    return out.getvalue()


def conformance(matrix: Matrix | None) -> Section:
    """The heading, the counts and the whole table; nothing where no fault was run."""
    if matrix is None or not matrix.cells:
        return Section("Faults survived", "", ())
    text = (
        "A guest without its key is lost, and a script that runs twice may be worse. The table shows what became of a "
        "guest when something went wrong: “survived” means that every key that could be had was there, before the "
        "script, that the script ran as often as it should, and that the agent came to its end in time."
    )
    table = conformance_table(matrix)
    return Section(
        "Faults survived",
        text,
        (counts_table(matrix), Details(f"Each fault, agent by agent: {plural(len(matrix.faults), 'fault')}", table)),
    )


def counts_table(matrix: Matrix) -> Table:
    """How many faults each agent survived, and of how many nothing is known; why an agent was not run."""
    trees = dict(matrix.trees)
    rows, records = [], []
    for agent in matrix.agents:
        cells = [cell for cell in matrix.cells if cell.agent == agent]
        run = any(cell.run for cell in cells)
        count = {"survived": sum(cell.outcome == "survived" for cell in cells),
                 "lost login": sum(cell.outcome == "lost login" for cell in cells),
                 "known": sum(cell.outcome != "unknown" for cell in cells)}  # fmt: skip
        how = f"run, in the tree of {trees[agent]}" if agent in trees else "run" if run else _DOCUMENTED
        numbers = (number(count[name], "count") for name in ("survived", "lost login", "known"))
        rows.append((Cell(agent), Cell(how), *numbers))
        records.append({"agent": agent, **count, "run": run, "reason": ""})
    for agent, reason in matrix.not_run:
        rows.append((Cell(agent), Cell("not run", f"because: {reason}"), *(missing("not run") for _ in range(3))))
        records.append({"agent": agent, "run": False, "reason": reason})
    header = ("", "how it is known", "survived", "lost login", "faults with a known outcome")
    return Table("Faults survived by agent", header, tuple(rows), tuple(records), (), HOW, CSV_FILE, fixed=True)


def conformance_table(matrix: Matrix) -> Table:
    """Every fault of every agent; a cell that is not good says why."""
    run = {cell.agent for cell in matrix.cells if cell.run}
    header = ("fault", *(agent if agent in run else f"{agent} (not run)" for agent in matrix.agents))
    rows = tuple(
        (Cell(name, title), *(_cell(matrix.cell(name, agent)) for agent in matrix.agents))
        for name, title in matrix.faults
    )
    caption = f"Faults and agents: {plural(len(matrix.faults), 'fault')}"
    return Table(caption, header, rows, _records(matrix), (), HOW, CSV_FILE, "faults-and-agents")


def _records(matrix: Matrix) -> tuple[dict[str, object], ...]:
    trees = dict(matrix.trees)
    return tuple(
        {"fault": cell.fault, "agent": cell.agent, "variant": trees.get(cell.agent), "outcome": cell.outcome,
         "why": cell.why, "run": cell.run, "requests": cell.requests, "seconds": cell.seconds}
        for cell in matrix.cells
    )  # fmt: skip


def _cell(verdict: Verdict | None) -> Cell:
    if verdict is None:
        return missing("not run with this agent")
    if verdict.outcome == "unknown":
        return missing(verdict.why or _UNKNOWN)
    note = "; ".join(part for part in (verdict.why, _cost(verdict)) if part)
    if verdict.outcome == "survived":
        return Cell("✓ survived", note, "good")
    return Cell(f"✗ {verdict.outcome}", note, "bad")


def _cost(verdict: Verdict) -> str:
    if verdict.requests is None or verdict.seconds is None:
        return ""
    return f"{plural(verdict.requests, 'request')}, {verdict.seconds:.1f} s"
