"""Tables of the automatic return: from each fault of version 2 to what runs in the end."""

from collections.abc import Sequence

from atomic_lib.guest.update.return_faults import FaultOutcome
from atomic_lib.report.elements.blocks import Sentences
from atomic_lib.report.elements.cells import Cell, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables import proof_tables
from atomic_lib.report.text import methods

NOT_MEASURED = Sentences(
    (
        ("A kernel that hangs.", "Without a panic, only a watchdog device restarts the machine; it has none here."),
        ("A boot loader or firmware that fails.", "Nothing counts before GRUB runs."),
        ("UEFI.", "The guests boot through BIOS; the other loader has the same menu and modules."),
    )
)
"""What belongs to the question and has no figure here."""


def outcomes_table(outcomes: Sequence[FaultOutcome]) -> Table:
    """Fault, outcome, boots and seconds."""
    rows = tuple(
        (
            Cell(one.fault.title),
            verdict(not one.problems, "; ".join(one.problems) or _outcome(one)),
            number(one.guest.entries.count(0), "count"),
            number(one.guest.entries.count(1), "count"),
            number(one.guest.seconds, "seconds"),
            number(one.guest.limit_seconds, "seconds"),
        )
        for one in outcomes
    )
    records = tuple(
        {
            "fault": one.guest.fault,
            "outcome": _outcome(one),
            "as_expected": not one.problems,
            "entries": " ".join(map(str, one.guest.entries)),
            "seconds": one.guest.seconds,
            "limit_seconds": one.guest.limit_seconds,
        }
        for one in outcomes
    )
    notes = (methods.ONE_SAMPLE,)
    header = ("version 2 has", "outcome", "boots of version 2", "boots of version 1", "seconds", "time limit")
    return Table(
        "What becomes of a version 2 that does not come up", header, rows, records, notes, methods.AUTOMATIC_RETURN,
        anchor="return-outcomes", fixed=True,
    )  # fmt: skip


def said_table(outcomes: Sequence[FaultOutcome]) -> Table:
    """What kernel and health check wrote to the console."""
    lines = [(one.guest.fault, line) for one in outcomes for line in one.guest.said]
    rows = tuple((Cell(fault), Cell(line)) for fault, line in lines)
    records = tuple({"fault": fault, "line": line} for fault, line in lines)
    return Table("What the guests said", ("fault", "line"), rows, records, anchor="return-said", fixed=True)


def proofs_table(outcomes: Sequence[FaultOutcome]) -> Table:
    """The proof of life of what runs in the end."""
    boots = {one.guest.fault: one.guest.boot.checks for one in outcomes}
    return proof_tables.side_by_side(boots, of="fault", anchor="return-proofs", unchecked="not checked")


def _outcome(one: FaultOutcome) -> str:
    return f"{one.version} runs, proven"
