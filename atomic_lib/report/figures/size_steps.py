"""The size of a package over time as steps, one panel for the variants in which it changed alike.

Drawn without a plotting library: a site has hundreds of these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from atomic_lib.report.elements.values import quantity
from atomic_lib.report.figures.picture import COLOURS, EDGE, GRID, INK, Picture
from atomic_lib.report.text.content_words import day

_WIDE, _NARROW = 640, 300
_PANEL, _TOP, _BOTTOM = 78, 22, 20
_INKED = f'style="fill: var(--chart-ink, {INK})"'
_RIGHT = 0.06
"""The part of the width after the last change: the size that holds now."""


@dataclass(frozen=True)
class SizeStep:
    """From ``created`` on (UTC, ISO 8601), a package has ``bytes``; 0 where it is not installed."""

    created: str
    bytes: int


def size_steps(name: str, series: Mapping[str, Sequence[SizeStep]]) -> Picture:
    """The picture for one package; ``series``: the steps of each variant, oldest first."""
    merged: dict[tuple[SizeStep, ...], list[str]] = {}
    for variant, steps in series.items():
        merged.setdefault(tuple(steps), []).append(variant)
    panels = {", ".join(variants): steps for steps, variants in merged.items()}
    alt = " ".join(f"{variants}: {_words(steps)}." for variants, steps in panels.items())
    caption = f"Size in the tree over time: {name}. The right end is the size now."
    return Picture(_svg(panels, _WIDE), _svg(panels, _NARROW), alt, caption)


def _words(steps: Sequence[SizeStep]) -> str:
    return ", ".join(f"{quantity(step.bytes, 'bytes')} since {day(step.created)}" for step in steps[-5:])


def _svg(panels: Mapping[str, Sequence[SizeStep]], width: int) -> str:
    times = [_seconds(step) for steps in panels.values() for step in steps]
    first, last = min(times), max(times)
    span = (last - first) or 1.0
    most = max((step.bytes for steps in panels.values() for step in steps), default=0) or 1
    inner = width * (1 - _RIGHT)
    parts = []
    for place, (title, steps) in enumerate(panels.items()):
        top = place * _PANEL
        base, height = top + _PANEL - 6, _PANEL - _TOP - 6
        corners = [((_seconds(step) - first) / span * inner, base - step.bytes / most * height) for step in steps]
        line = f"M{corners[0][0]:.1f} {corners[0][1]:.1f}"
        line += "".join(f"H{x:.1f}V{y:.1f}" for x, y in corners[1:]) + f"H{width}"
        colour = COLOURS[place % 3]
        size = quantity(steps[-1].bytes, "bytes") if steps[-1].bytes else "not installed"
        parts.append(
            f'<text x="0" y="{top + 13}" font-weight="bold" {_INKED}>{escape(title)}</text>'
            f'<text x="{width}" y="{top + 13}" text-anchor="end" {_INKED}>{size}</text>'
            f'<path d="M0 {base}H{width}" style="stroke: var(--chart-grid, {GRID}); fill: none"/>'
            f'<path d="{line}V{base}H{corners[0][0]:.1f}Z" style="fill: {colour}; opacity: .25"/>'
            f'<path d="{line}" style="stroke: {colour}; stroke-width: 2; fill: none"/>'
        )
    end = len(panels) * _PANEL
    days = [(0.0, "start", _day_of(panels, first))]
    if last > first:
        days.append((inner, "end", _day_of(panels, last)))
        line = f"stroke: var(--chart-edge, {EDGE}); stroke-dasharray: 2 3"
        tops = range(_TOP, end, _PANEL)  # below the titles
        parts += [f'<path d="M{inner:.1f} {top}V{top + _PANEL - _TOP - 6}" style="{line}"/>' for top in tops]
    parts += [
        f'<text x="{x:.1f}" y="{end + 12}" text-anchor="{anchor}" {_INKED}>{text}</text>' for x, anchor, text in days
    ]
    return (
        f'<svg font-family="DejaVu Sans, Verdana, sans-serif" font-size="11" viewBox="0 0 {width} {end + _BOTTOM}">'
        f"{''.join(parts)}</svg>"
    )


def _day_of(panels: Mapping[str, Sequence[SizeStep]], seconds: float) -> str:
    return next(day(step.created) for steps in panels.values() for step in steps if _seconds(step) == seconds)


def _seconds(step: SizeStep) -> float:
    return datetime.fromisoformat(step.created).timestamp()
