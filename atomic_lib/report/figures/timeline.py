"""The timeline of one boot: its phases, its milestones, its units with the critical chain."""

from typing import TYPE_CHECKING

from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.evidence.unit_times import UnitTime
from atomic_lib.report.elements.blocks import Details, Stack
from atomic_lib.report.elements.values import quantity
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
    shortened,
    text_inches,
)
from atomic_lib.report.text import methods
from atomic_lib.report.text.boot_words import not_alone
from atomic_lib.results.analysis.boot_groups import PHASES, BootGroup, most_common_group
from atomic_lib.results.analysis.boot_times import boot_end_seconds, milestones_of, phases_of, typical_boot
from atomic_lib.results.analysis.metrics import missing_boot_reason
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE_UNITS, _NARROW_UNITS = 22, 14
_OPEN = 3
"""So many timelines are shown at once; the others are folded away."""
_ROW_INCHES = 0.19
_CRITICAL, _PLAIN = 5, 4  # places in COLOURS


def time_lines(study: StudyResult) -> Stack:
    """The timeline of every booted variant at one scale, by the kind of boot that most of them have."""
    group = most_common_group(study.variants)
    booted = [(r, boot) for r in study.variants if group and (boot := typical_boot(r, group))]
    extent = max((boot_end_seconds(boot) for _, boot in booted), default=0.0)
    pictures = [_picture(result, boot, extent, "units.csv") for result, boot in booted]
    folded = [Details(result.variant, p) for (result, _), p in zip(booted[_OPEN:], pictures[_OPEN:], strict=True)]
    return Stack((*pictures[:_OPEN], *folded))


def figure_time_line(result: VariantResult) -> Picture:
    """The timeline of one variant's typical boot."""
    group = most_common_group([result])
    boot = typical_boot(result, group) if group else None
    if boot is None:
        reason = missing_boot_reason(result)
        return nothing_drawn(f"Timeline of {result.variant}.", f"{reason[:1].upper()}{reason[1:]}.")
    return _picture(result, boot, boot_end_seconds(boot), "")


def shown_units(boot: Boot, count: int) -> list[UnitTime]:
    """The units to draw, in order of their start: those on the critical chain, then the longest ones."""
    placed = [unit for unit in boot.units if unit.started_seconds is not None and unit.seconds > 0]
    chosen = sorted(placed, key=lambda unit: (not unit.critical, -unit.seconds))[:count]
    return sorted(chosen, key=lambda unit: (unit.started_seconds or 0, unit.unit))


def _picture(result: VariantResult, boot: Boot, extent: float, csv: str) -> Picture:
    group = BootGroup(boot.firmware, boot.accelerator)
    n = len(group.boots_of(result))
    head = f"Timeline of {result.variant}: {group}, boot {boot.index}, "
    head += "the only boot" if n == 1 else f"the boot nearest to the median of {n}"
    caption = f"{', '.join(filter(None, [head, not_alone([boot])]))}."
    if not any(unit.critical for unit in boot.units):
        caption += " The critical chain was not measured."
    elif not any(unit.started_seconds is not None for unit in boot.units):
        caption += " The start times of units were not measured."
    else:
        caption += " Hatched: the critical chain, the units that the end of the boot waited for."
    phases = ", ".join(f"{title} {seconds:.1f} s" for title, seconds in phases_of(boot))
    milestones = ", ".join(f"{title} at {seconds:.1f} s" for title, seconds in milestones_of(boot))
    chain = ", ".join(f"{u.unit} {quantity(u.seconds, 'seconds')}" for u in shown_units(boot, 99) if u.critical)
    alt = f"{caption} Phases: {phases}. Milestones: {milestones}." + (f" Critical chain: {chain}." if chain else "")
    tcg = f" {methods.TCG}" if boot.accelerator == "tcg" else ""
    drawn = f" The figure shows one boot, not a median; the tables have all {n} boots." if n > 1 else ""
    how = f"{methods.WALL}{tcg}{drawn}"
    return draw_picture(lambda width: _draw(boot, extent, width), alt, caption, how=how, csv=csv)


def _draw(boot: Boot, extent: float, width_inches: float) -> "Figure":
    from matplotlib.figure import Figure

    units = shown_units(boot, _WIDE_UNITS if is_wide(width_inches) else _NARROW_UNITS)
    milestones = milestones_of(boot)
    rows = len(units) + len(milestones) + 1.4
    height = rows * _ROW_INCHES + 0.55
    figure = Figure(figsize=(width_inches, height))
    axes = figure.add_axes((0.02, 0.45 / height, 0.96, 1 - 0.5 / height))
    axes.set_xlim(0, extent * 1.02)
    axes.set_ylim(rows, -0.1)
    inches_per_second = width_inches * 0.96 / (extent * 1.02)
    _draw_phases(axes, boot, inches_per_second)
    for place, (title, seconds) in enumerate(milestones):
        _draw_milestone(axes, 1.9 + place, f"{title} {seconds:.1f} s", seconds, rows, inches_per_second)
    for place, unit in enumerate(units):
        _draw_unit(axes, 1.4 + len(milestones) + place + 0.5, unit, extent, inches_per_second)
    axes.set_yticks([])
    axes.set_xlabel("seconds from the start of QEMU")
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    return figure


def _draw_phases(axes: "Axes", boot: Boot, inches_per_second: float) -> None:
    start = 0.0
    titles = [title for _, title in PHASES]
    for title, seconds in phases_of(boot):
        style = titles.index(title)
        axes.barh(
            0.55, seconds, left=start, height=0.95, color=COLOURS[style], hatch=HATCHES[style], edgecolor=EDGE,
            linewidth=0.5,
        )  # fmt: skip
        room = seconds * inches_per_second - 0.1
        labels = (f"{title} {seconds:.1f} s", f"{title.partition(' ')[0]} {seconds:.1f} s", f"{seconds:.1f} s")
        label = next((text for text in labels if text_inches(text, 7.5) < room), "")
        if label:
            axes.text(
                start + seconds / 2, 0.57, label, ha="center", va="center", fontsize=7.5,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.0},
            )  # fmt: skip
        start += seconds


def _draw_milestone(axes: "Axes", row: float, label: str, seconds: float, end: float, inches_per_second: float) -> None:
    axes.plot([seconds, seconds], [row, end], color=EDGE, linewidth=0.6, linestyle="dotted", zorder=1)
    axes.plot([seconds], [row], marker="v", color=EDGE, markersize=5, zorder=5, clip_on=False)
    before = seconds * inches_per_second > text_inches(label, 7.5) + 0.3
    gap = 0.07 / inches_per_second
    axes.text(
        seconds - gap if before else seconds + gap, row, label, fontsize=7.5, ha="right" if before else "left",
        va="center", weight="bold",
    )  # fmt: skip


def _draw_unit(axes: "Axes", row: float, unit: UnitTime, extent: float, inches_per_second: float) -> None:
    start = unit.started_seconds or 0.0
    style = _CRITICAL if unit.critical else _PLAIN
    axes.barh(
        row, unit.seconds, left=start, height=0.72, color=COLOURS[style], hatch="///" if unit.critical else "",
        edgecolor=EDGE, linewidth=0.5, zorder=3,
    )  # fmt: skip
    end, gap = start + unit.seconds, 0.05 / inches_per_second
    room_before, room_after = start * inches_per_second - 0.1, (extent - end) * inches_per_second - 0.05
    fits_after = room_after >= min(room_before, text_inches(unit.unit, 7.5))
    seconds = quantity(unit.seconds, "seconds")
    room = max(room_before, room_after) - text_inches(f" {seconds}", 7.5)
    label = f"{shortened(unit.unit.removesuffix('.service'), room, 7.5)} {seconds}"
    axes.text(
        end + gap if fits_after else start - gap, row, label, fontsize=7.5, va="center",
        ha="left" if fits_after else "right", weight="bold" if unit.critical else "normal", zorder=4,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.4, "alpha": 0.75},
    )  # fmt: skip
