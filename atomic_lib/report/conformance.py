"""The matrix of faults and agents: what became of each guest."""

from atomic_lib.machine.conformance.matrix import Cell as Verdict
from atomic_lib.machine.conformance.matrix import Matrix
from atomic_lib.report.show import Cell, Section, Table, missing, number, plural

HOW = (
    "Each fault is one row. The agent itself is run in a network, mount and process namespace of its own, against a "
    "metadata service at 169.254.169.254 that follows the fault's script; there is no virtual machine. A boot is an "
    "empty /run and the commands of the agent's units in their order; what /etc, /root and /var hold then is the end "
    "state. A power cut is made at every external command in turn, and what was not synced is lost. n = 1 for each "
    "cell, and one run for each cut. Times are wall-clock seconds of one boot on a busy machine: a bound is tested, "
    "nothing is compared. cloud-init is run over EC2, with the modules that provision; it has no row where the power "
    "is cut between commands, as it works inside its own process, and none with a disc. So that the table is made in "
    "minutes, the waits of the agents are shortened: 60 s to 3 to 15 s, cloud-init's 120 and 50 s to 12 and 5 s. "
    "The agent of 2014 was not run: its cells follow from its source and README."
)
_UNKNOWN = "not told by its documentation"


def conformance(matrix: Matrix) -> Section:
    """The heading, the counts and the whole table; nothing where no fault was run."""
    if not matrix.cells:
        return Section("Faults survived", "", ())
    text = (
        "A guest without its key is lost, and a script that runs twice may be worse. The table shows what became of a "
        "guest when something went wrong: “survived” means that every key that could be had was there, before the "
        "script, that the script ran as often as it should, and that the agent came to its end in time."
    )
    return Section("Faults survived", text, (counts_table(matrix), conformance_table(matrix)))


def counts_table(matrix: Matrix) -> Table:
    """How many faults each agent survived, and of how many nothing is known."""
    rows, records = [], []
    for agent in matrix.agents:
        cells = [cell for cell in matrix.cells if cell.agent == agent]
        count = {"survived": sum(cell.outcome == "survived" for cell in cells),
                 "lost login": sum(cell.outcome == "lost login" for cell in cells),
                 "known": sum(cell.outcome != "unknown" for cell in cells)}  # fmt: skip
        rows.append((Cell(agent), *(number(count[name], "count") for name in ("survived", "lost login", "known"))))
        records.append({"agent": agent, **count, "run": any(cell.run for cell in cells)})
    header = ("", "survived", "lost login", "faults with a known outcome")
    return Table("Faults survived by agent", header, tuple(rows), tuple(records), (), HOW, fixed=True)


def conformance_table(matrix: Matrix) -> Table:
    """Every fault of every agent; a cell that is not good says why."""
    rows = tuple(
        (Cell(name, title), *(_cell(matrix.cell(name, agent)) for agent in matrix.agents))
        for name, title in matrix.faults
    )
    records = tuple(
        {"fault": cell.fault, "agent": cell.agent, "outcome": cell.outcome, "why": cell.why, "run": cell.run,
         "requests": cell.requests, "seconds": cell.seconds}
        for cell in matrix.cells
    )  # fmt: skip
    caption = f"Faults and agents: {plural(len(matrix.faults), 'fault')}"
    return Table(caption, ("fault", *matrix.agents), rows, records, (), HOW, anchor="faults-and-agents", fixed=True)


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
