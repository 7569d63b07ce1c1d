"""The map of power cuts as a picture: after each flush, which share of the states starts which version."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates
from atomic_lib.measure.power_cuts.replay import CutVerdict
from atomic_lib.report.elements.blocks import Shown
from atomic_lib.report.figures.picture import COLOURS, EDGE, HATCHES, Picture, draw_picture
from atomic_lib.report.tables.update.power_cut_tables import CONTROL_NAMES, by_flush
from atomic_lib.report.tables.update.study_update_tables import NOTHING
from atomic_lib.report.text import methods
from atomic_lib.results.update.update_results import UpdateResults

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("version 1 boots", "version 2 boots", "boots, not whole", "mixed", "unbootable")
_PLACES = dict(zip(KINDS, (4, 2, 1, 3, 5), strict=True))
"""The place of each kind in COLOURS; its hatch is that of its place here."""
_PANEL_INCHES = 1.1


def power_cut_map(recordings: Sequence[PowerCutStates]) -> Picture:
    """One panel for each recording, in the order of its flushes."""
    words = [f"{CONTROL_NAMES[one.control]}: {_sums(one)}" for one in recordings]
    caption = "What a power cut leaves, after each flush in their order: the share of the states that were checked."
    return draw_picture(
        lambda width: _draw(recordings, width), f"{caption} {'. '.join(words)}.", caption, how=methods.POWER_CUTS
    )


def cuts_map(updates: UpdateResults | None) -> Shown:
    """The same of a study; nothing if no power cut was recorded."""
    cuts = updates.power_cuts if updates else None
    return power_cut_map(cuts.recordings) if cuts else NOTHING


def shares_of(states: PowerCutStates) -> list[tuple[float, ...]]:
    """For each flush the share of the states after it, of each of ``KINDS``."""
    return [
        tuple(sum(_kind(cut) == kind for cut in group) / len(group) for kind in KINDS)
        for group in by_flush(states.cuts)
    ]


def _kind(cut: CutVerdict) -> str:
    verdict = cut.verdict
    if verdict.outcome in ("mixed", "unbootable"):
        return verdict.outcome
    return "boots, not whole" if verdict.damage else f"{verdict.outcome} boots"


def _sums(states: PowerCutStates) -> str:
    return ", ".join(f"{kind} {sum(_kind(cut) == kind for cut in states.cuts):,}" for kind in KINDS)


def _draw(recordings: Sequence[PowerCutStates], width_inches: float) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, _PANEL_INCHES * len(recordings) + 0.6), layout="constrained")
    for place, states in enumerate(recordings):
        axes = figure.add_subplot(len(recordings), 1, place + 1)
        shares = shares_of(states)
        bottoms = [0.0] * len(shares)
        for number, kind in enumerate(KINDS):
            heights = [share[number] for share in shares]
            axes.bar(
                range(len(shares)), heights, width=1.0, bottom=bottoms, label=kind, linewidth=0, edgecolor=EDGE,
                color=COLOURS[_PLACES[kind]], hatch=HATCHES[number],
            )  # fmt: skip
            bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
        axes.set_title(CONTROL_NAMES[states.control], loc="left", fontsize=9)
        axes.set_xlim(-0.5, len(shares) - 0.5)
        axes.set_ylim(0, 1)
        axes.set_yticks([])
        axes.set_xlabel("flush" if place == len(recordings) - 1 else "", fontsize=8)
        axes.tick_params(labelsize=8)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure
