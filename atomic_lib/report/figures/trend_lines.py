"""Figures over time: a line for each variant, its levels, and marks where a level begins."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from atomic_lib.report.elements.blocks import Stack
from atomic_lib.report.elements.values import quantity
from atomic_lib.report.figures.picture import COLOURS, EDGE, GRID, Picture, draw_picture, nothing_drawn
from atomic_lib.report.tables.trend_tables import level_change_words
from atomic_lib.results.history.figure_trends import FigurePoint, Trend, level_medians

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_INCHES = 1.7
_DAY = timedelta(days=1)
_MARKED_POINTS = 100
"""A line of more points has no marks at them."""
_CHANGES_TOLD = 5
"""So many changes of a line, the newest, are in the words for those who do not see it."""
_AXES = {"bytes": (1e6, "MB"), "count": (1, ""), "seconds": (1, "s"), "counted": (1, "counted s")}


def pictures(trends: Sequence[Trend]) -> Stack:
    """One picture for each figure, with a panel for each variant."""
    figures = dict.fromkeys(trend.figure for trend in trends)
    found = tuple(picture_of([trend for trend in trends if trend.figure == figure]) for figure in figures)
    return Stack(found or (nothing_drawn("Figures over time.", "The history has no run of the whole study."),))


def picture_of(trends: Sequence[Trend]) -> Picture:
    """The picture of one figure, with a panel for each variant."""
    title = f"{trends[0].title} over time"
    alt = " ".join(map(_words, trends))
    note = "" if len(trends[0].points) > 1 else " One run is only a point: a line needs more."
    return draw_picture(lambda width: _draw(trends, width), f"{title}. {alt}", f"{title}: by variant.{note}")


def _words(trend: Trend) -> str:
    unit = trend.unit
    newest = trend.changes[-_CHANGES_TOLD:]
    told = "; ".join(level_change_words(change, trend) for change in newest) or "no change of level"
    changes = f"{len(trend.changes)} changes, the last ones {told}" if len(newest) < len(trend.changes) else told
    ends = f"{quantity(trend.points[0].value, unit)} to {quantity(trend.points[-1].value, unit)}"
    return f"{trend.variant}: {ends} in {len(trend.points)} runs; {changes}."


def _draw(trends: Sequence[Trend], width_inches: float) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, _PANEL_INCHES * len(trends)), layout="constrained")
    panels: list[Axes] = [*figure.subplots(len(trends), 1, sharex=True, squeeze=False)[:, 0]]
    moments = {_time(point) for trend in trends for point in trend.points}
    if len(moments) == 1:  # matplotlib would show some years
        (moment,) = moments
        panels[0].set_xlim(moment - _DAY, moment + _DAY)  # type: ignore[arg-type]
    for place, (axes, trend) in enumerate(zip(panels, trends, strict=True)):
        _panel(axes, trend, COLOURS[place % len(COLOURS)])
    return figure


def _panel(axes: "Axes", trend: Trend, colour: str) -> None:
    scale, unit = _AXES[trend.unit]
    times = [_time(point) for point in trend.points]
    values = [point.value / scale for point in trend.points]
    mark = "o" if len(values) <= _MARKED_POINTS else ""
    axes.plot(times, values, color=colour, marker=mark, markersize=3, linewidth=0.8)  # type: ignore[arg-type]
    for start, end, middle in level_medians(trend):
        axes.plot([times[start], times[end - 1]], [middle / scale] * 2, color=EDGE, linewidth=0.8)  # type: ignore[arg-type]
        if start:
            axes.axvline(times[start], color=EDGE, linewidth=0.6, linestyle="dotted")  # type: ignore[arg-type]
    axes.set_title(trend.variant, loc="left", fontsize=9, weight="bold")
    axes.set_ylabel(unit)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(axis="y", color=GRID, linewidth=0.5)
    axes.tick_params(axis="x", labelrotation=30)


def _time(point: FigurePoint) -> datetime:
    return datetime.fromisoformat(point.created).replace(tzinfo=None)  # matplotlib takes these as they are
