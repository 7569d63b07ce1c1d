"""What proves the check of power cuts: the controls, in which something is broken on purpose, and must show."""

from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates
from atomic_lib.report.elements.cells import Cell, number, share, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables.update.power_cut_tables import CONTROL_NAMES
from atomic_lib.report.text import methods
from atomic_lib.results.update.update_results import PowerCutsResult


def controls_table(found: PowerCutsResult) -> Table:
    """How many states of the upgrade and of each control are damaged, all together and of those at a flush."""
    rows, records = list[tuple[Cell, ...]](), list[dict[str, object]]()
    for one in found.recordings:
        damaged, at_flush = len(one.damaged), sum(cut.kind == "at a flush" for cut in one.damaged)
        outcome = Cell("the standard") if one is found.upgrade else _outcome(one, found.upgrade)
        rows.append(
            (Cell(CONTROL_NAMES[one.control]), number(len(one.cuts), "count"), number(damaged, "count"),
             share(damaged, len(one.cuts)), number(at_flush, "count"), outcome)
        )  # fmt: skip
        records.append(
            {"recording": one.control, "states": len(one.cuts), "damaged": damaged, "damaged_at_a_flush": at_flush}
        )
    header = ("", "states", "damaged", "share", "of them at a flush", "outcome")
    notes = (
        "Damaged: unbootable, mixed, or with something that is not whole. The share of a control must be larger than "
        "that of the upgrade: otherwise the check has proved nothing.",
    )
    return Table("Failures of the controls", header, tuple(rows), tuple(records), notes, methods.POWER_CUTS,
                 anchor="power-cut-controls", fixed=True)  # fmt: skip


def _outcome(control: PowerCutStates, upgrade: PowerCutStates) -> Cell:
    fails = len(control.damaged) * len(upgrade.cuts) > len(upgrade.damaged) * len(control.cuts)
    return verdict(fails, "fails, as it must" if fails else "does not fail")
