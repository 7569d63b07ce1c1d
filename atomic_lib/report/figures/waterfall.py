"""The waterfall: from the baseline to the last step of a study, one decision at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from atomic_lib.report.elements.blocks import Details, Stack
from atomic_lib.report.elements.values import quantity, signed
from atomic_lib.report.figures.picture import (
    COLOURS,
    EDGE,
    GRID,
    HATCHES,
    PAPER,
    Picture,
    draw_picture,
    is_wide,
    nothing_drawn,
)
from atomic_lib.report.tables.decision_tables import NO_BOOT, how_of, table
from atomic_lib.results.analysis.decisions import (
    BOOT,
    IMAGE,
    TREE,
    DecisionCost,
    criteria_of,
    decision_costs,
    last_step,
)
from atomic_lib.results.analysis.metrics import Criterion
from atomic_lib.results.study_result import StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PLATE = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6}
_LESS, _MORE, _WHOLE = 2, 5, 7  # places in COLOURS and HATCHES


def section(study: StudyResult) -> Stack:
    """The waterfall as a figure, and its steps as a table, folded away; nothing for a study without steps."""
    if not study.steps or study.variant(study.baseline) is None:
        return Stack(())
    return Stack((figure(study), Details("Step by step", table(study))))


def figure(study: StudyResult) -> Picture:
    """The waterfall in bytes of the compressed image, or of the tree, and in boot cost where it was measured."""
    criteria = criteria_of(study)
    panels = [(m, decision_costs(study, m)) for m in ((IMAGE if IMAGE in criteria else TREE), BOOT) if m in criteria]
    drawn = [(m, rows) for m, rows in panels if any(row.after is not None for row in rows)]
    alt = " ".join(
        f"{m.title}: " + ", ".join(f"{row.label} {_words(row, m)}" for row in rows) + "." for m, rows in drawn
    )
    caption = f"Waterfall from {study.baseline} to {last_step(study)}: the steps add up to the whole difference."
    if not drawn:
        return nothing_drawn(caption)
    if any(row.failed for _, rows in drawn for row in rows):
        caption += " Where the variant of a step failed, the step leads to the fallback that stands in for it."
    if BOOT not in criteria:
        caption += f" {NO_BOOT}"
    how = how_of(criterion for criterion, _ in drawn)
    return draw_picture(lambda width: _draw(drawn, width), f"{caption} {alt}", caption, how=how, csv="figures.csv")


def _words(row: DecisionCost, criterion: Criterion) -> str:
    if row.after is None:
        return "not measured"
    return quantity(row.after, criterion.unit) if row.change is None else signed(row.change, criterion.unit)


def _draw(panels: Sequence[tuple[Criterion, tuple[DecisionCost, ...]]], width_inches: float) -> "Figure":
    from matplotlib.figure import Figure

    columns = len(panels) if is_wide(width_inches) else 1
    lines = -(-len(panels) // columns)
    row_inches = 0.44 * (len(panels[0][1]) + 1)
    line_inches = row_inches + 0.66
    figure = Figure(figsize=(width_inches, line_inches * lines))
    for place, (criterion, rows) in enumerate(panels):
        line, column = divmod(place, columns)
        left, bottom = column / columns + 0.015, 1 - (line + 1) / lines + 0.44 / (line_inches * lines)
        axes = figure.add_axes((left, bottom, 1 / columns - 0.03, row_inches / (line_inches * lines)))
        _panel(axes, criterion, rows)
    return figure


def _panel(axes: "Axes", criterion: Criterion, rows: Sequence[DecisionCost]) -> None:
    scale = 1e6 if criterion.unit == "bytes" else 1.0
    largest = max(row.after or 0 for row in rows) / scale
    known = [row for row in rows if row.after is not None]
    for place, row in enumerate(rows):
        axes.text(0, place - 0.27, row.label, ha="left", va="bottom")
        axes.text(largest, place - 0.27, _words(row, criterion), ha="right", va="bottom", weight="bold", bbox=_PLATE)
        if row.after is not None:
            start = 0.0 if row.change is None else (row.after - row.change) / scale
            style = _WHOLE if row.change is None else _LESS if row.change < 0 else _MORE
            _bar(axes, place, start, row.after / scale, style)
    end = len(rows)
    axes.text(0, end - 0.27, f"{known[-1].variant}", ha="left", va="bottom", weight="bold")
    whole = quantity(known[-1].after or 0, criterion.unit)
    axes.text(largest, end - 0.27, whole, ha="right", va="bottom", weight="bold", bbox=_PLATE)
    _bar(axes, end, 0.0, (known[-1].after or 0) / scale, _WHOLE)
    axes.set_xlim(0, largest or 1)
    axes.set_ylim(end + 0.35, -0.65)
    axes.set_yticks([])
    axes.set_xlabel({"bytes": "MB (1 MB = 1,000,000 bytes)", "counted": "counted seconds"}[criterion.unit])
    axes.set_title(criterion.title, loc="left", fontsize=9, weight="bold")
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)


def _bar(axes: "Axes", place: int, start: float, end: float, style: int) -> None:
    axes.barh(
        place, end - start, left=start, height=0.4, color=COLOURS[style], hatch=HATCHES[style], edgecolor=EDGE,
        linewidth=0.5,
    )  # fmt: skip
    axes.plot([end, end], [place - 0.2, place + 0.8], color=EDGE, linewidth=0.6, linestyle="dotted")
