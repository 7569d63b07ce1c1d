"""Stacked bars with marks along them, one bar below the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atomic_lib.report.figures.picture import (
    EDGE,
    GRID,
    INK,
    PAPER,
    Picture,
    Style,
    draw_picture,
    is_wide,
    nothing_drawn,
    style_at,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = (("D", INK), ("v", "#d55e00"), ("s", "#0072b2"), ("o", "#009e73"))
_LABELLED_INCHES = 0.42
"""A part of a bar at least as wide has its figure written on it."""


@dataclass(frozen=True)
class Segment:
    """A part of a bar; the chart has a style for its title."""

    title: str
    value: float


@dataclass(frozen=True)
class BarMark:
    """A point along a bar; ``low`` and ``high`` are its interval, where it has one."""

    title: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bar:
    """A stacked bar with its labels and the marks along it."""

    label: str
    note: str
    segments: tuple[Segment, ...]
    marks: tuple[BarMark, ...] = ()

    @property
    def extent(self) -> float:
        """Where the bar, or the last mark, ends."""
        ends = (mark.value if mark.high is None else mark.high for mark in self.marks)
        return max([sum(part.value for part in self.segments), *ends])


@dataclass(frozen=True)
class BarChart:
    """Bars, the styles of their parts by title and in order, the axis with its unit."""

    bars: tuple[Bar, ...]
    styles: Mapping[str, Style]
    axis: str
    unit: str

    @property
    def mark_titles(self) -> tuple[str, ...]:
        """The titles of all marks, in the order of their first bar."""
        return tuple(dict.fromkeys(mark.title for bar in self.bars for mark in bar.marks))

    @property
    def drawn_titles(self) -> set[str]:
        """The titles of the parts that are drawn."""
        return {part.title for bar in self.bars for part in bar.segments if part.value}

    def picture(self, caption: str, how: str = "", csv: str = "") -> Picture:
        """The chart as a picture, with its figures as the alternative text."""
        if not self.bars:
            return nothing_drawn(caption)
        alt = " ".join([caption, *(f"{self._words(bar)}." for bar in self.bars)])
        return draw_picture(self._draw, alt, caption, how=how, csv=csv)

    def _words(self, bar: Bar) -> str:
        parts = ", ".join(f"{part.title} {part.value:.1f} {self.unit}" for part in bar.segments if part.value)
        marks = "".join(f"; {mark.title} at {mark.value:.1f} {self.unit}" for mark in bar.marks)
        return f"{bar.label} ({bar.note}): {parts}{marks}"

    def _draw(self, width_inches: float) -> "Figure":
        from matplotlib.figure import Figure

        columns = 3 if is_wide(width_inches) else 1
        legend_inches = 0.185 * -(-(len(self.drawn_titles) + len(self.mark_titles)) // columns)
        bars_inches = 0.72 * len(self.bars) + 0.1
        height = bars_inches + legend_inches + 0.62
        figure = Figure(figsize=(width_inches, height))
        axes = figure.add_axes((0.02, (legend_inches + 0.6) / height, 0.96, bars_inches / height))
        extent = max(bar.extent for bar in self.bars) * 1.02 or 1.0
        axes.set_xlim(0, extent)
        axes.set_ylim(len(self.bars) - 0.3, -0.62)
        for place, bar in enumerate(self.bars):
            self._draw_bar(axes, place, bar, extent / width_inches)
        axes.set_yticks([])
        axes.set_xlabel(self.axis)
        axes.set_axisbelow(True)
        axes.grid(axis="x", color=GRID, linewidth=0.5)
        figure.legend(
            handles=self._legend(), loc="lower left", bbox_to_anchor=(0.01, 0.0), ncols=columns, frameon=False,
            handlelength=2.2, handleheight=1.1, columnspacing=1.2, borderaxespad=0.0,
        )  # fmt: skip
        return figure

    def _draw_bar(self, axes: "Axes", place: int, bar: Bar, units_per_inch: float) -> None:
        axes.text(0, place - 0.36, f"{bar.label}  ", ha="left", va="bottom", weight="bold")
        axes.text(axes.get_xlim()[1], place - 0.36, bar.note, ha="right", va="bottom")
        start = 0.0
        for part in bar.segments:
            style = self.styles[part.title]
            axes.barh(
                place, part.value, left=start, height=0.62, color=style.colour, hatch=style.hatch, edgecolor=EDGE,
                linewidth=0.5,
            )  # fmt: skip
            if part.value / units_per_inch > _LABELLED_INCHES:
                axes.text(
                    start + part.value / 2, place, f"{part.value:.0f}", ha="center", va="center",
                    bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.2},
                )  # fmt: skip
            start += part.value
        for mark in bar.marks:
            self._draw_mark(axes, place, mark)

    def _draw_mark(self, axes: "Axes", place: int, mark: BarMark) -> None:
        marker, colour = _MARKERS[self.mark_titles.index(mark.title) % len(_MARKERS)]
        axes.plot([mark.value, mark.value], [place - 0.31, place + 0.31], color=colour, linewidth=1.2, zorder=4)
        if mark.low is not None and mark.high is not None:
            axes.plot([mark.low, mark.high], [place + 0.2, place + 0.2], color=colour, linewidth=2.4, zorder=4)
        axes.plot(
            [mark.value], [place], marker=marker, color=colour, markeredgecolor=PAPER, markersize=7, zorder=5,
            clip_on=False,
        )  # fmt: skip

    def _legend(self) -> list[object]:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        patches: list[object] = [
            Patch(facecolor=style.colour, hatch=style.hatch, edgecolor=EDGE, linewidth=0.5, label=title)
            for title, style in self.styles.items()
            if title in self.drawn_titles
        ]
        marks = [
            Line2D([], [], marker=marker, color=colour, markeredgecolor=PAPER, markersize=7, label=title)
            for title, (marker, colour) in zip(self.mark_titles, _MARKERS, strict=False)
        ]
        return [*patches, *marks]


def stack_of(bars: Sequence[Bar], titles: Sequence[str], axis: str, unit: str) -> BarChart:
    """A chart of stacked bars, whose parts have the colours of this figure alone."""
    return BarChart(tuple(bars), {title: style_at(place) for place, title in enumerate(titles)}, axis, unit)
