"""What a power cut, a version 2 that does not come up, or an update with a fault leaves, on the page of a study.

What the study does not make is said, with what makes it.
"""

from atomic_lib.report.elements.blocks import Details, Paragraph, Sentences, Shown, Stack
from atomic_lib.report.elements.values import plural
from atomic_lib.report.tables.update import power_cut_tables, refusal_tables, return_tables, update_tables
from atomic_lib.report.tables.update.control_tables import controls_table
from atomic_lib.report.tables.update.study_update_tables import NOTHING
from atomic_lib.results.update.update_results import RoundKind, UpdateResults

_MADE_BY: dict[RoundKind, tuple[str, str]] = {
    "power-cuts": ("power_cuts", "./workbook power-cuts"),
    "automatic-return": ("automatic_return", "./workbook update --break all"),
    "refused-updates": ("refusals", "./workbook update --refuse all"),
}
"""The key of a study's ``updates`` that asks for it, and the command that makes it alone."""


def states_tables(updates: UpdateResults | None) -> Shown:
    """How many states were checked, at which pace, and what the controls came to."""
    if updates is None:
        return NOTHING
    cuts = updates.power_cuts
    if cuts is None:
        return _not_made(updates, "power-cuts")
    return Stack(
        (
            power_cut_tables.summary_table(cuts.recordings),
            controls_table(cuts),
            power_cut_tables.side_by_side_table(cuts.upgrade, cuts.by_packages),
        )
    )


def cut_maps(updates: UpdateResults | None) -> Shown:
    """Cut point, state and outcome of ostree and of dnf, what is not whole, and what was booted, folded away."""
    cuts = updates.power_cuts if updates else None
    if cuts is None:
        return NOTHING
    maps = [power_cut_tables.map_table(one) for one in (cuts.upgrade, cuts.by_packages) if one]
    folded = [Details(table.caption, table) for table in (*maps, power_cut_tables.damage_table(cuts.recordings))]
    return Stack((*folded, power_cut_tables.booted_table(cuts.booted)))


def returns(updates: UpdateResults | None) -> Shown:
    """Where guests ended whose version 2 does not come up."""
    if updates is None:
        return NOTHING
    if updates.returns is None:
        return _not_made(updates, "automatic-return")
    return Stack(
        (Paragraph(f"Guests of {updates.returns.variant}."), return_tables.outcomes_table(updates.returns.outcomes))
    )


def refusals(updates: UpdateResults | None) -> Shown:
    """What a guest made of updates with a fault."""
    if updates is None:
        return NOTHING
    found = updates.refusals
    if found is None:
        return _not_made(updates, "refused-updates")
    return Stack(
        (
            Paragraph(f"One guest of {found.variant}, {plural(len(found.guest.results), 'attempt')}."),
            refusal_tables.results_table(found.guest.results),
            refusal_tables.twice_table(found.guest),
        )
    )


def gaps(updates: UpdateResults | None) -> Shown:
    """What belongs to the question and has no figure."""
    if updates is None:
        return NOTHING
    own = (pair for pair in update_tables.NOT_MEASURED.items if pair[0] not in _OWN_SECTIONS)
    return Sentences((*own, *power_cut_tables.NOT_MEASURED.items))


_OWN_SECTIONS = ("Power cuts.", "A version 2 that does not come up.")
"""What the page of one update has not, and that of a study has."""


def _not_made(updates: UpdateResults, kind: RoundKind) -> Shown:
    """Why there are no figures: it failed, or the study does not ask for it."""
    failed = next((one for one in updates.failed if one.kind == kind), None)
    if failed:
        return Paragraph(f"Not measured: {failed.error}")
    key, command = _MADE_BY[kind]
    return Paragraph(
        f"Not measured in this run. The key updates: {key} of the study asks for it; {command} makes it alone."
    )
