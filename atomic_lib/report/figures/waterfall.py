"""The way from the baseline to the last step, one decision at a time, in bytes and in counted boot cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atomic_lib.report.figures.picture import COLOURS, EDGE, HATCHES, Picture, draw_picture, is_wide
from atomic_lib.report.page.elements import Cell, Section, Table, Unit, missing, number, quantity, signed
from atomic_lib.report.text import methods
from atomic_lib.results import fallbacks
from atomic_lib.results.metrics import counted_busy_seconds
from atomic_lib.results.variant_result import StudyResult, VariantResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LESS, _MORE, _WHOLE = 2, 5, 7  # places in COLOURS and HATCHES


@dataclass(frozen=True)
class Measure:
    """What a step is counted in; never wall-clock seconds, which chance moves by more than a decision does."""

    title: str
    unit: Unit
    value: Callable[[VariantResult], float | None]
    how: str


@dataclass(frozen=True)
class Cost:
    """One row of a waterfall: the figure ``after`` a decision and the ``change`` by it.

    Where a variant has no figure both are None, and the next change holds this one too. Where it
    failed and its fallback stands in, the step leads there: ``variant`` says so, and ``failed``.
    """

    decision: str
    variant: str
    after: float | None
    change: float | None
    failed: bool = False

    @property
    def label(self) -> str:
        """The decision, marked where it could not be taken."""
        return f"{self.decision} (failed: fallback)" if self.failed else self.decision


TREE = Measure("tree", "bytes", lambda result: result.tree_bytes, methods.TREE)
IMAGE = Measure(
    "image, compressed (qcow2)", "bytes", lambda result: result.image_compressed_bytes, methods.COMPRESSED_IMAGE
)
BOOT = Measure("boot, busy time (counted)", "counted", counted_busy_seconds, methods.COUNTED)
_NO_BOOT = "Boot cost: not measured (counted_boots: 1 measures it)."


def section(study: StudyResult) -> Section:
    """The waterfall as figure and table; nothing for a study without steps."""
    if not study.steps or study.variant(study.baseline) is None:
        return Section("One decision at a time", "", ())
    text = f"From {study.baseline} to {_last(study)}; the steps add up to the whole difference."
    if any(row.failed for row in costs(study, TREE)):
        text += " A step whose variant failed leads to the fallback that stands in, for that is what one has then."
    return Section("One decision at a time", text, (figure(study), table(study)))


def costs(study: StudyResult, measure: Measure) -> tuple[Cost, ...]:
    """The baseline, then every step; the changes add up to the difference of the first and the last figure."""
    base = study.variant(study.baseline)
    known = measure.value(base) if base else None
    rows = [Cost("baseline", study.baseline, known, None)]
    for step in study.steps:
        name, result = fallbacks.shown_for(study, step.variant)
        after = measure.value(result) if result else None
        change = None if after is None or known is None else after - known
        known = known if after is None else after
        rows.append(Cost(step.decision, name, after, change, failed=name != step.variant))
    return tuple(rows)


def _last(study: StudyResult) -> str:
    """Where the way ends."""
    return fallbacks.shown_for(study, study.steps[-1].variant)[0]


def measures_of(study: StudyResult) -> tuple[Measure, ...]:
    """The tree; then the image and the counted boot, each only where every step that did not fail has its figure."""
    stepped = (fallbacks.shown_for(study, step.variant)[1] for step in study.steps)
    way = [study.variant(study.baseline), *stepped]
    made = [result for result in way if result and not result.error]
    known = (m for m in (IMAGE, BOOT) if made and all(m.value(result) is not None for result in made))
    return (TREE, *known)


def table(study: StudyResult) -> Table:
    """Every step with its bytes in the tree and in the image, and its boot cost."""
    measures = measures_of(study)
    columns = [costs(study, measure) for measure in measures]
    rows = []
    for place, cost in enumerate(columns[0]):
        cells = [cell for column, m in zip(columns, measures, strict=True) for cell in _cells(column[place], m)]
        rows.append((Cell(cost.label), Cell(cost.variant), *cells))
    totals = [c for column, m in zip(columns, measures, strict=True) for c in (Cell(""), _total(column, m))]
    rows.append((Cell("all steps together"), Cell(""), *totals))
    header = ["decision", "leads to", *(f"{word}{m.title}" for m in measures for word in ("", "change of "))]
    records = tuple(
        {"decision": c.label, "variant": c.variant, "figure": m.title, "after": c.after, "change": c.change}
        for column, m in zip(columns, measures, strict=True)
        for c in column
    )
    notes = () if BOOT in measures else (_NO_BOOT,)
    how = " ".join(measure.how for measure in measures)
    return Table(
        "Waterfall, step by step", tuple(header), tuple(rows), records, notes, how, "comparison.csv", feet=1, fixed=True
    )  # fmt: skip


def figure(study: StudyResult) -> Picture:
    """The waterfall in bytes of the tree, and those in bytes of the image and in boot cost where they were measured."""
    measures = measures_of(study)
    panels = [(m, costs(study, m)) for m in measures]
    drawn = [(m, rows) for m, rows in panels if any(row.after is not None for row in rows)]
    alt = " ".join(
        f"{m.title}: " + ", ".join(f"{row.label} {_words(row, m)}" for row in rows) + "." for m, rows in drawn
    )
    caption = f"Waterfall from {study.baseline} to {_last(study)}."
    if not drawn:
        return Picture("", "", f"{caption} Nothing was measured.", caption)
    if BOOT not in measures:
        caption += f" {_NO_BOOT}"
    how = " ".join(measure.how for measure, _ in drawn)
    return draw_picture(lambda width: _draw(drawn, width), f"{caption} {alt}", caption, how=how, csv="comparison.csv")


def _cells(cost: Cost, measure: Measure) -> tuple[Cell, Cell]:
    if cost.after is None:
        return missing("not measured"), missing("in the next step")
    after = number(cost.after, measure.unit)
    if cost.change is None:
        return after, missing("the start" if cost.decision == "baseline" else "no figure of the baseline")
    return after, Cell(signed(cost.change, measure.unit), kind="number", value=cost.change)


def _total(rows: Sequence[Cost], measure: Measure) -> Cell:
    changes = [row.change for row in rows if row.change is not None]
    if not changes:
        return missing("not measured")
    return Cell(signed(sum(changes), measure.unit), kind="number", value=sum(changes))


def _words(row: Cost, measure: Measure) -> str:
    if row.after is None:
        return "not measured"
    return quantity(row.after, measure.unit) if row.change is None else signed(row.change, measure.unit)


def _draw(panels: "Sequence[tuple[Measure, tuple[Cost, ...]]]", width_inches: float) -> "Figure":
    from matplotlib.figure import Figure

    # three beside each other have no room for their words
    columns = min(len(panels), 2) if is_wide(width_inches) else 1
    lines = -(-len(panels) // columns)
    row_inches = 0.52 * (len(panels[0][1]) + 1)
    line_inches = row_inches + 0.75
    figure = Figure(figsize=(width_inches, line_inches * lines))
    for place, (measure, rows) in enumerate(panels):
        line, column = divmod(place, columns)
        left, bottom = column / columns + 0.015, 1 - (line + 1) / lines + 0.5 / (line_inches * lines)
        axes = figure.add_axes((left, bottom, 1 / columns - 0.03, row_inches / (line_inches * lines)))
        _panel(axes, measure, rows)
    return figure


def _panel(axes: "Axes", measure: Measure, rows: Sequence[Cost]) -> None:
    scale = 1e6 if measure.unit == "bytes" else 1.0
    largest = max(row.after or 0 for row in rows) / scale
    known = [row for row in rows if row.after is not None]
    for place, row in enumerate(rows):
        axes.text(0, place - 0.27, row.label, ha="left", va="bottom")
        axes.text(largest, place - 0.27, _words(row, measure), ha="right", va="bottom", weight="bold")
        if row.after is not None:
            start = 0.0 if row.change is None else (row.after - row.change) / scale
            style = _WHOLE if row.change is None else _LESS if row.change < 0 else _MORE
            _bar(axes, place, start, row.after / scale, style)
    end = len(rows)
    axes.text(0, end - 0.27, f"{known[-1].variant}", ha="left", va="bottom", weight="bold")
    axes.text(largest, end - 0.27, quantity(known[-1].after or 0, measure.unit), ha="right", va="bottom", weight="bold")
    _bar(axes, end, 0.0, (known[-1].after or 0) / scale, _WHOLE)
    axes.set_xlim(0, largest or 1)
    axes.set_ylim(end + 0.35, -0.65)
    axes.set_yticks([])
    axes.set_xlabel({"bytes": "MB (1 MB = 1,000,000 bytes)", "counted": "counted seconds"}[measure.unit])
    axes.set_title(measure.title, loc="left", fontsize=9, weight="bold")
    axes.grid(axis="x", color="#cccccc", linewidth=0.5)
    axes.set_axisbelow(True)


def _bar(axes: "Axes", place: int, start: float, end: float, style: int) -> None:
    axes.barh(
        place, end - start, left=start, height=0.4, color=COLOURS[style], hatch=HATCHES[style], edgecolor=EDGE,
        linewidth=0.5,
    )  # fmt: skip
    axes.plot([end, end], [place - 0.2, place + 0.8], color=EDGE, linewidth=0.6, linestyle="dotted")
