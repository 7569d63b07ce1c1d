"""Tables of updates with a fault: what each came to, what the administrator saw, and the good update after them."""

from collections.abc import Sequence

from atomic_lib.guest.refusals.case_evidence import CaseResult
from atomic_lib.guest.refusals.guest_refusals import GuestRefusals
from atomic_lib.report.elements.blocks import Sentences
from atomic_lib.report.elements.cells import Cell, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables import proof_tables
from atomic_lib.report.text import methods

COMMANDS = {
    "upgrade": "ostree admin upgrade",
    "download": "ostree admin upgrade --pull-only",
    "pull": "ostree pull --timestamp-check",
    "check": "ostree pull --commit-metadata-only, then ostree admin upgrade",
    "deploy": "ostree admin upgrade --deploy-only",
}
"""What the administrator types, by way."""
NOT_MEASURED = Sentences(
    (
        ("A summary that is signed, TLS, or a proxy.", "The server speaks plain HTTP, and the commits are signed."),
        ("A signing key that is revoked.", "The image trusts one file of keys, which an update replaces."),
        ("Static deltas.", "The server has none, so each object is asked for by itself."),
        ("A power cut meanwhile.", "./workbook power-cuts has a page of its own."),
        ("dnf.", "Only updates of commits are offered here."),
    )
)
"""What belongs to the question and has no figure here."""


def results_table(results: Sequence[CaseResult]) -> Table:
    """Each case and command, with its outcome."""
    rows = tuple(
        (
            Cell(one.of.title, note=one.case),
            Cell(COMMANDS[one.way]),
            verdict(not one.problems, "; ".join(one.problems) or outcome_of(one)),
            Cell(", ".join(one.changed) or "nothing"),
            number(one.first.download.bytes, "bytes"),
            number(one.first.seconds, "seconds"),
        )
        for one in results
    )
    records = tuple(
        {
            "case": one.case,
            "command": COMMANDS[one.way],
            "expected": one.of.expected,
            "as_expected": not one.problems,
            "changed": " ".join(one.changed),
            "bytes": one.first.download.bytes,
            "seconds": one.first.seconds,
        }
        for one in results
    )
    header = ("what is wrong", "command", "outcome", "changed in version 1", "downloaded", "seconds")
    notes = (methods.ONE_SAMPLE,)
    return Table(
        "What becomes of an update with a fault", header, rows, records, notes, methods.REFUSED_UPDATES,
        anchor="refused-outcomes", fixed=True,
    )  # fmt: skip


def resumed_table(results: Sequence[CaseResult]) -> Table:
    """What the second attempt, without the fault, had to download."""
    resumed = [one for one in results if one.repeat is not None]
    rows = tuple(
        (
            Cell(one.of.title, note=one.case),
            Cell(COMMANDS[one.way]),
            number(one.objects, "count"),
            number(one.first.objects, "count"),
            number(one.repeat.objects if one.repeat else None, "count"),
            number(one.repeat.download.bytes if one.repeat else None, "bytes"),
            Cell(_kept(one)),
        )
        for one in resumed
    )
    records = tuple(
        {
            "case": one.case,
            "command": COMMANDS[one.way],
            "objects": one.objects,
            "first_objects": one.first.objects,
            "second_objects": one.repeat.objects,
            "second_bytes": one.repeat.download.bytes,
        }
        for one in resumed
        if one.repeat
    )
    header = ("what was wrong", "command", "objects of version 2", "asked for at first", "asked for again",
              "downloaded again", "what was kept")  # fmt: skip
    return Table("What is downloaded once the fault is gone", header, rows, records, anchor="resumed", fixed=True)


def said_table(results: Sequence[CaseResult]) -> Table:
    """What the administrator saw."""
    lines = [(one, line) for one in results for line in one.first.said.splitlines()]
    rows = tuple((Cell(one.case), Cell(COMMANDS[one.way]), Cell(line)) for one, line in lines)
    records = tuple({"case": one.case, "command": COMMANDS[one.way], "line": line} for one, line in lines)
    return Table("What the administrator saw", ("case", "command", "line"), rows, records, anchor="refused-said",
                 fixed=True)  # fmt: skip


def twice_table(guest: GuestRefusals) -> Table:
    """Two upgrades at once."""
    twice = guest.twice
    facts = (
        ("both commands", verdict(not twice.status, "succeeded", f"exit status {twice.status}")),
        ("what they said", Cell("; ".join(twice.said.splitlines()) or "nothing")),
        ("deployments then", Cell(", ".join(twice.deployments))),
        ("ostree fsck", verdict(not twice.fsck_status, "the repository is whole", twice.fsck)),
    )
    rows = tuple((Cell(name), cell) for name, cell in facts)
    records = tuple({"fact": name, "found": cell.text} for name, cell in facts)
    return Table("Two upgrades at once", ("fact", "found"), rows, records, anchor="upgraded-twice", fixed=True)


def proofs_table(guest: GuestRefusals) -> Table:
    """The proof of life of version 1 before the cases, and of version 2 after them."""
    titles = ("version 1, before", "version 2, after")
    boots = dict(zip(titles, (boot.checks for boot in guest.boots), strict=True))
    return proof_tables.side_by_side(boots, of="version", anchor="refused-proofs", unchecked="not checked")


def outcome_of(one: CaseResult) -> str:
    """What a case came to, in words."""
    if one.of.expected != "resumed":
        return one.of.expected
    return "failed, and went on later" if one.kept_objects else "failed, and began anew later"


def _kept(one: CaseResult) -> str:
    if not one.first.objects and one.way != "deploy":
        return "there was nothing to keep"
    return f"{one.kept_objects} of {one.objects} objects"
