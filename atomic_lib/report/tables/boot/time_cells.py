"""Cells of times with their statistics."""

from atomic_lib.measure.rank_statistics import Summary, Verdict
from atomic_lib.report.elements.cells import Cell, missing
from atomic_lib.report.elements.values import quantity
from atomic_lib.report.text.time_words import shift_text, spread_text


def summary_cell(summary: Summary | None, *, note: str = "", reason: str = "not measured") -> Cell:
    """The median, below it its interval (or the range of few samples), n and ``note``; a dash for None."""
    if summary is None:
        return missing(reason)
    parts = (spread_text(summary), f"n = {summary.n}", note)
    return Cell(quantity(summary.median, "seconds"), ", ".join(part for part in parts if part), "number")


def verdict_cell(verdict: Verdict | None, *, reason: str = "not measured") -> Cell:
    """The word that the statistics allow, below it the shift and the reason; a dash with ``reason`` for None."""
    if verdict is None:
        return missing(reason)
    return Cell(verdict.word, f"{shift_text(verdict)}; {verdict.reason}")
