"""The proofs of life of several boots side by side."""

from collections.abc import Mapping, Sequence

from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.report.elements.cells import Cell, missing, verdict
from atomic_lib.report.elements.table import Table


def side_by_side(boots: Mapping[str, Sequence[Check]], *, of: str, anchor: str, unchecked: str) -> Table:
    """The checks of each boot, by its title.

    ``of``: what a title names. ``unchecked``: the reason in the cell of a boot without a check that another has.
    """
    rows = tuple(check_rows([*boots.values()], unchecked))
    records = tuple(
        {of: title, "check": check.name, "passed": check.passed} for title, checks in boots.items() for check in checks
    )
    notes = ("User-data runs on the first boot of an instance only.",)
    return Table("Proof of life", ("check", *boots), rows, records, notes, anchor=anchor, fixed=True)


def check_rows(boots: Sequence[Sequence[Check]], unchecked: str) -> list[tuple[Cell, ...]]:
    """A row for each check, with a cell for each boot."""
    names = dict.fromkeys(check.name for checks in boots for check in checks)
    return [(Cell(name), *(_cell(checks, name, unchecked) for checks in boots)) for name in names]


def _cell(checks: Sequence[Check], name: str, unchecked: str) -> Cell:
    found = next((check for check in checks if check.name == name), None)
    return verdict(found.passed, note=found.detail) if found else missing(unchecked)
