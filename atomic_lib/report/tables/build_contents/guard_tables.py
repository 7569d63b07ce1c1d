"""Tables of the guards: what each found, and why it is allowed."""

from atomic_lib.measure.guards.image_guards import Guard
from atomic_lib.report.elements.cells import Cell, verdict
from atomic_lib.report.elements.table import Table, not_measured
from atomic_lib.report.elements.values import plural
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.metrics import missing_reason
from atomic_lib.results.tables.csv_tables import GUARD_FIELDS, guard_rows
from atomic_lib.results.variant_result import VariantResult

GUARD_TITLES = {
    "private-keys": "private keys",
    "set-uid": "set-uid, set-gid, capabilities",
    "world-writable": "writable by everybody",
    "open-ports": "open ports",
}


def image_guards_table(result: VariantResult) -> Table:
    """One variant: what the guards of the image found, by guard."""
    return _table("Guards", tuple(guard for guard in result.guards or () if guard.guard != "open-ports"), result)


def open_ports_table(result: VariantResult) -> Table:
    """One variant: the ports that its boots opened."""
    return _table("Open ports", tuple(one for one in result.guards or () if one.guard == "open-ports"), result)


def _table(caption: str, guards: tuple[Guard, ...], result: VariantResult) -> Table:
    if not guards:
        return not_measured(caption, missing_reason(result, "not measured, or older than this check"))
    unexplained = sum(guard.unexplained for guard in guards)
    found = plural(sum(guard.found for guard in guards), "finding")
    rows = tuple(row for guard in guards for row in _rows(guard))
    names = {guard.guard for guard in guards}
    records = tuple(dict(zip(GUARD_FIELDS, row, strict=True)) for row in guard_rows(result) if row[0] in names)
    more = sum(guard.found - len(guard.findings) for guard in guards)
    notes = (f"{plural(more, 'more finding')} not named here.",) if more else ()
    return Table(
        f"{caption}: {found}, {unexplained:,} unexplained",
        ("guard", "found", "what", "allowed because"),
        rows,
        records,
        notes,
        methods.GUARDS,
        "../guards.csv",
        fixed=True,
    )


def _rows(guard: Guard) -> tuple[tuple[Cell, ...], ...]:
    title = Cell(GUARD_TITLES[guard.guard])
    if not guard.found:
        return ((title, verdict(True, "none"), Cell(""), Cell("")),)
    return tuple(
        (title, Cell(one.found), Cell(one.detail), Cell(one.reason) if one.reason else verdict(False, "not explained"))
        for one in guard.findings
    )
