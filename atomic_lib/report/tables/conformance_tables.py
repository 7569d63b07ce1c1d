"""The tables of a conformance test, which injects faults into agents: what became of each guest."""

from atomic_lib.guest.faults.matrix import Matrix
from atomic_lib.guest.faults.matrix import MatrixCell as Outcome
from atomic_lib.report.elements.blocks import Details, Section
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural
from atomic_lib.report.text import methods
from atomic_lib.results.conformance_files import CSV_FILE, outcome_counts, outcome_rows

_UNKNOWN = "its documentation does not say"
_DOCUMENTED = "not run: from its documentation"


def conformance(matrix: Matrix | None) -> Section:
    """The counts and the whole table below a heading; nothing if no fault was injected."""
    if matrix is None or not matrix.cells:
        return Section("Faults survived", "", ())
    text = (
        f"Each agent was tested against {plural(len(matrix.faults), 'injected fault')}. A guest without its ssh key is "
        "lost, and a script that runs twice may do damage. “Survived” means that every key that the metadata "
        "service offered was installed before the script ran, that the script ran as often as it should, and that the "
        "agent finished in time."
    )
    table = conformance_table(matrix)
    return Section(
        "Faults survived",
        text,
        (counts_table(matrix), Details(f"Each fault, agent by agent: {plural(len(matrix.faults), 'fault')}", table)),
    )


def counts_table(matrix: Matrix) -> Table:
    """How many faults each agent survived, how many have a known outcome, and why an agent was not run."""
    trees = dict(matrix.trees)
    rows, records = [], []
    for agent in matrix.agents:
        count = outcome_counts(matrix, agent)
        how = f"run, in the tree of {trees[agent]}" if agent in trees else "run" if count.run else _DOCUMENTED
        numbers = (number(value, "count") for value in (count.survived, count.lost_login, count.known))
        rows.append((Cell(agent), Cell(how), *numbers))
        records.append({"agent": agent, **vars(count), "reason": ""})
    for agent, reason in matrix.not_run:
        rows.append((Cell(agent), Cell("not run", reason), *(missing("not run") for _ in range(3))))
        records.append({"agent": agent, "run": False, "reason": reason})
    header = ("", "source of the outcomes", "survived", "lost login", "faults with a known outcome")
    caption = "Faults survived by agent"
    return Table(caption, header, tuple(rows), tuple(records), (), methods.CONFORMANCE, CSV_FILE, fixed=True)


def conformance_table(matrix: Matrix) -> Table:
    """Every fault of every agent; a bad outcome says why."""
    run = {cell.agent for cell in matrix.cells if cell.run}
    header = ("fault", *(agent if agent in run else f"{agent} (not run)" for agent in matrix.agents))
    rows = tuple(
        (Cell(name, title), *(_cell(matrix.cell(name, agent)) for agent in matrix.agents))
        for name, title in matrix.faults
    )
    caption = f"Faults and agents: {plural(len(matrix.faults), 'fault')}"
    return Table(caption, header, rows, outcome_rows(matrix), (), methods.CONFORMANCE, CSV_FILE, "faults-and-agents")


def _cell(outcome: Outcome | None) -> Cell:
    if outcome is None:
        return missing("not run with this agent")
    if outcome.outcome == "unknown":
        return missing(outcome.why or _UNKNOWN)
    note = "; ".join(part for part in (outcome.why, _cost(outcome)) if part)
    if outcome.outcome == "survived":
        return Cell("✓ survived", note, "good")
    return Cell(f"✗ {outcome.outcome}", note, "bad")


def _cost(outcome: Outcome) -> str:
    if outcome.requests is None or outcome.seconds is None:
        return ""
    return f"{plural(outcome.requests, 'request')}, {outcome.seconds:.1f} s"
