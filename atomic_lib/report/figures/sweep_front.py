"""The section of what a sweep composed and booted, with its figure: image bytes against counted boot, and the front."""

from typing import TYPE_CHECKING

from atomic_lib.report.elements.blocks import Section
from atomic_lib.report.elements.values import plural, quantity
from atomic_lib.report.figures.picture import COLOURS, EDGE, GRID, Picture, draw_picture, shortened
from atomic_lib.report.tables.sweep.sweep_built_tables import booted_table, composed_table
from atomic_lib.results.sweep_result import SWEEP_FILE, SweepResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEIGHT_INCHES = 3.2
_MARGIN = 0.12


def built_section(result: SweepResult) -> Section:
    """The tables of what was made, and the figure; nothing where nothing was."""
    made = [row for row in result.rows if row.built]
    if not made:
        return Section("What was composed and booted", "", ())
    exact = [row for row in made if row.surplus_bytes == 0]
    about = (
        f"Of {plural(len(made), 'variant')} the packages were installed; in {len(exact)} of them their files have "
        "exactly the bytes that were predicted, besides what scriptlets changed. "
        f"{plural(len(result.booted), 'variant')} booted."
    )
    booted = (figure_front(result), booted_table(result)) if result.booted else ()
    return Section("What was composed and booted", about, (*booted, composed_table(result)))


def figure_front(result: SweepResult) -> Picture:
    """Each booted variant by its image and its boot; a line joins those on the front, whose names are written."""
    front = {row.variant for row in result.front}
    caption = "Image and boot: each point is a variant that was booted; the line joins those on the front."
    words = [
        f"{row.variant} {quantity(row.cost[0], 'bytes')}, {quantity(row.cost[1], 'counted')}"
        f"{', on the front' if row.variant in front else ''}"
        for row in result.booted
    ]
    return draw_picture(lambda width: _draw(result, width), f"{caption} {'; '.join(words)}.", caption, csv=SWEEP_FILE)


def _draw(result: SweepResult, width_inches: float) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, _HEIGHT_INCHES))
    left = 0.6 / width_inches
    axes = figure.add_axes((left, 0.16, 0.97 - left, 0.74))
    others = [row.cost for row in result.booted if row not in result.front]
    best = [row.cost for row in result.front]
    axes.plot(
        [x / 1e6 for x, _ in best], [y for _, y in best], color=COLOURS[0], marker="o", drawstyle="steps-post",
        label="on the front",
    )  # fmt: skip
    axes.plot(
        [x / 1e6 for x, _ in others], [y for _, y in others], color=EDGE, marker="s", markersize=4, linestyle="none",
        label="others",
    )  # fmt: skip
    for row in result.front:
        x, y = row.cost
        axes.annotate(
            shortened(row.variant, width_inches / 3, 7.5), (x / 1e6, y), textcoords="offset points", xytext=(5, 5),
            fontsize=7.5,
        )  # fmt: skip
    axes.margins(x=2 * _MARGIN, y=_MARGIN)
    axes.set_xlabel("image, MB")
    axes.set_title("boot, counted s", loc="left", fontsize=9, weight="bold")
    axes.grid(color=GRID, linewidth=0.5)
    axes.legend(frameon=False, fontsize=7.5, loc="best")
    return figure
