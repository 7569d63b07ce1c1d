"""Figures: the footprint by class and the boot time line.

Every figure is drawn twice, wide and narrow (for a phone), as SVG inside the page.
Segments are told apart by hatches and labels as well as by colour (Okabe and Ito's
palette, which colour-blind readers can tell apart), so a print in grey is legible.
"""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from atomic_lib.report.classes import default_class_rules
from atomic_lib.report.metrics import BootGroup, boot_groups, median_of
from atomic_lib.report.model import StudyResult, VariantResult
from atomic_lib.report.show import quantity
from atomic_lib.report.tables import PHASES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE_INCHES, NARROW_INCHES = 8.6, 3.9
LARGEST_CLASSES = 8
"""Classes with a colour of their own; the rest is drawn together."""
_REST = "all other classes"
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999", "#DDDDDD")
_EDGE = "#222222"
_HATCHES = ("", "///", "---", "xxx", "\\\\\\", "", "+++", "|||", "")
# Lines only: dots and circles make an SVG twenty times larger.
_MARK_STYLES = (
    ("ssh_login_seconds", "ssh login", "D", "#000000"),
    ("docker_ready_seconds", "Docker ready", "v", "#D55E00"),
)
_RC: Any = {
    "svg.fonttype": "path",  # the same in every viewer, whatever fonts it has
    "svg.hashsalt": "workbook",  # the same figures give the same bytes
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "hatch.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}


@dataclass(frozen=True)
class Picture:
    """A figure for a page: wide and narrow SVG, a text for those who do not see it, a caption."""

    wide_svg: str
    narrow_svg: str
    alt: str
    caption: str

    def _repr_html_(self) -> str:
        if not self.wide_svg:
            return f"<p>{escape(self.alt)}</p>"
        narrow = f'<source media="(max-width: 640px)" srcset="{_data_uri(self.narrow_svg)}">'
        image = f'<img src="{_data_uri(self.wide_svg)}" alt="{escape(self.alt)}">'
        return f"<figure><picture>{narrow}{image}</picture><figcaption>{escape(self.caption)}</figcaption></figure>"

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.alt}"


@dataclass(frozen=True)
class Segment:
    """A part of a bar; the place of ``title`` in the figure's list decides its colour."""

    title: str
    value: float


@dataclass(frozen=True)
class Bar:
    """A stacked bar with its labels and the marks along it."""

    label: str
    note: str
    segments: tuple[Segment, ...]
    marks: tuple[tuple[str, float], ...] = ()


def figure_footprint(study: StudyResult) -> Picture:
    """The tree of every measured variant, stacked by class."""
    return _footprint([result for result in study.variants if result.classes], "Footprint of the tree by class.")


def figure_classes(result: VariantResult) -> Picture:
    """The tree of one variant, stacked by class."""
    return _footprint([result] if result.classes else [], f"Footprint of {result.variant} by class.")


def figure_boots(study: StudyResult) -> Picture:
    """The boot of every variant by phase, one bar per kind of boot."""
    return _boots(study.variants, "Boot time line")


def figure_boot(result: VariantResult) -> Picture:
    """The boots of one variant by phase."""
    return _boots([result], f"Boot time line of {result.variant}")


def _footprint(results: Sequence[VariantResult], caption: str) -> Picture:
    rules = default_class_rules()
    largest: dict[str, int] = {}
    for result in results:
        for size in result.classes:
            largest[size.class_] = max(largest.get(size.class_, 0), size.bytes)
    shown = sorted(sorted(largest, key=lambda name: -largest[name])[:LARGEST_CLASSES], key=rules.order_of)
    titles = [*(rules.title_of(name) for name in shown), *([_REST] if len(largest) > len(shown) else [])]
    bars = []
    for result in results:
        sizes = {size.class_: size.bytes for size in result.classes}
        parts = [Segment(rules.title_of(name), sizes.get(name, 0) / 1e6) for name in shown]
        rest = sum(size for name, size in sizes.items() if name not in shown) / 1e6
        parts += [Segment(_REST, rest)] if _REST in titles else []
        bars.append(Bar(result.variant, quantity(result.tree_bytes or 0, "bytes"), tuple(parts)))
    return _picture(bars, titles, "MB in the tree (1 MB = 1,000,000 bytes)", "MB", caption)


def _boots(results: Iterable[VariantResult], caption: str) -> Picture:
    bars = [_boot_bar(group, result) for result in results for group in boot_groups([result])]
    if not bars:
        return _picture([], [], "", "", f"{caption}.")
    told = ["; ".join(dict.fromkeys(bar.note for bar in bars))]
    if any(not bar.note.endswith("n=1") for bar in bars):
        told.append("bars and marks are medians")
    if any(bar.segments and bar.segments[0].title != PHASES[0][1] for bar in bars):
        told.append("a bar without its first phase begins too early")
    titles = [title for _, title in PHASES]
    return _picture(bars, titles, "seconds from the start of QEMU", "s", f"{caption}: {'; '.join(told)}.")


def _boot_bar(group: BootGroup, result: VariantResult) -> Bar:
    boots = group.boots_of(result)
    phases = [(title, median_of(getattr(boot.phases, name) for boot in boots)) for name, title in PHASES]
    marks = [(title, median_of(getattr(boot, name) for boot in boots)) for name, title, *_ in _MARK_STYLES]
    return Bar(
        result.variant,
        f"{group}, n={len(boots)}",
        tuple(Segment(title, seconds) for title, seconds in phases if seconds is not None),
        tuple((title, seconds) for title, seconds in marks if seconds is not None),
    )


def _picture(bars: Sequence[Bar], titles: Sequence[str], axis: str, unit: str, caption: str) -> Picture:
    if not bars:
        return Picture("", "", f"{caption} Nothing was measured.", caption)
    wide = _svg(lambda: _draw(bars, titles, axis, WIDE_INCHES))
    narrow = _svg(lambda: _draw(bars, titles, axis, NARROW_INCHES))
    told = [
        f"{bar.label} ({bar.note}): "
        + ", ".join(f"{part.title} {part.value:.1f} {unit}" for part in bar.segments if part.value)
        + "".join(f"; {title} at {value:.1f} {unit}" for title, value in bar.marks)
        for bar in bars
    ]
    return Picture(
        wide,
        narrow,
        " ".join([caption, *(f"{line}." for line in told)]),
        caption,
    )


def _draw(bars: Sequence[Bar], titles: Sequence[str], axis: str, width_inches: float) -> "Figure":
    from matplotlib.figure import Figure

    columns = 3 if width_inches == WIDE_INCHES else 1
    marked = any(bar.marks for bar in bars)
    entries = len(titles) + (len(_MARK_STYLES) if marked else 0)
    legend_inches = 0.185 * -(-entries // columns)
    bars_inches = 0.72 * len(bars) + 0.1
    height = bars_inches + legend_inches + 0.62
    figure = Figure(figsize=(width_inches, height))
    axes = figure.add_axes((0.02, (legend_inches + 0.6) / height, 0.96, bars_inches / height))
    extent = max(_extent(bar) for bar in bars) * 1.02
    axes.set_xlim(0, extent)
    axes.set_ylim(len(bars) - 0.3, -0.62)
    for place, bar in enumerate(bars):
        _draw_bar(axes, place, bar, titles, extent / width_inches)
    axes.set_yticks([])
    axes.set_xlabel(axis)
    axes.set_axisbelow(True)
    axes.grid(axis="x", color="#cccccc", linewidth=0.5)
    if bars:
        figure.legend(
            handles=_legend(titles, marked), loc="lower left", bbox_to_anchor=(0.01, 0.0), ncols=columns, frameon=False,
            handlelength=2.2, handleheight=1.1, columnspacing=1.2, borderaxespad=0.0,
        )  # fmt: skip
    return figure


def _draw_bar(axes: "Axes", place: int, bar: Bar, titles: Sequence[str], units_per_inch: float) -> None:
    axes.text(0, place - 0.36, f"{bar.label}  ", ha="left", va="bottom", weight="bold")
    axes.text(_extent_of_axis(axes), place - 0.36, bar.note, ha="right", va="bottom")
    start = 0.0
    for part in bar.segments:
        style = titles.index(part.title)
        face, hatch = _COLOURS[style], _HATCHES[style]
        axes.barh(place, part.value, left=start, height=0.62, color=face, hatch=hatch, edgecolor=_EDGE, linewidth=0.5)
        if part.value / units_per_inch > 0.42:
            axes.text(
                start + part.value / 2, place, f"{part.value:.0f}", ha="center", va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
            )  # fmt: skip
        start += part.value
    for title, value in bar.marks:
        marker, colour = next((marker, colour) for _, name, marker, colour in _MARK_STYLES if name == title)
        axes.plot([value, value], [place - 0.31, place + 0.31], color=colour, linewidth=1.2, zorder=4)
        axes.plot([value], [place], marker=marker, color=colour, markeredgecolor="white", markersize=7, zorder=5,
                  clip_on=False)  # fmt: skip


def _legend(titles: Sequence[str], marked: bool) -> list[object]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    patches: list[object] = [
        Patch(facecolor=_COLOURS[place], hatch=_HATCHES[place], edgecolor=_EDGE, linewidth=0.5, label=title)
        for place, title in enumerate(titles)
    ]
    marks = [
        Line2D([], [], marker=marker, color=colour, markeredgecolor="white", markersize=7, label=title)
        for _, title, marker, colour in _MARK_STYLES
    ]
    return [*patches, *(marks if marked else [])]


def _extent(bar: Bar) -> float:
    return max([sum(part.value for part in bar.segments), *(value for _, value in bar.marks)])


def _extent_of_axis(axes: "Axes") -> float:
    return float(axes.get_xlim()[1])


def _svg(draw: "Callable[[], Figure]") -> str:
    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context(_RC):
        draw().savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
