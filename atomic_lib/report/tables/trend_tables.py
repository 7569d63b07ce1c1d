"""Table of what changed over time: each new level of a figure, with the packages or units that caused it."""

from collections.abc import Sequence

from atomic_lib.report.elements.cells import Cell
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import signed
from atomic_lib.report.text.budget_words import growth_words
from atomic_lib.report.text.content_words import day
from atomic_lib.results.history.figure_trends import FigureChange, Trend

_MOST_CAUSES = 4
_HOW = (
    "Unit: as shown. n: the runs of the whole study in the history in which the variant did not fail. Method: change "
    "points by least squares with a penalty (ruptures, KernelCPD); sizes beyond 0.05 %, counted boots beyond what "
    "chance explains, other figures beyond their own noise and with the rank test (p < 0.002)."
)


def changes(trends: Sequence[Trend]) -> Table:
    """Every change of every figure, the newest first."""
    found = sorted(
        ((change, trend) for trend in trends for change in trend.changes),
        key=lambda pair: (pair[0].after.created, pair[0].after.run),
        reverse=True,
    )
    rows = tuple(
        (Cell(day(change.after.created)), Cell(trend.variant), Cell(trend.title),
         Cell(signed(change.amount, trend.unit)), Cell(trend_causes(change, trend)), Cell(change.after.run))
        for change, trend in found
    )  # fmt: skip
    records = tuple(
        {"run": change.after.run, "before_run": change.before.run, "variant": trend.variant, "figure": trend.figure,
         "unit": trend.unit, "change": change.amount, "cause": trend_causes(change, trend)}
        for change, trend in found
    )  # fmt: skip
    header = ("date", "variant", "figure", "change", "caused by", "first run")
    return Table("Changes over time", header, rows, records, how=_HOW, empty="No figure has changed its level.")


def level_change_words(change: FigureChange, trend: Trend) -> str:
    """A change as one line: ``+12.4 MB on 3 November 2026: docker 26.1 → 28.0 (+12.4 MB)``."""
    cause = trend_causes(change, trend)
    return f"{signed(change.amount, trend.unit)} on {day(change.after.created)}{cause and ': '}{cause}"


def trend_causes(change: FigureChange, trend: Trend) -> str:
    """What changed: packages or units, then parameters and versions; what is left out is counted."""
    shown = [one for one in change.causes if not one.amount or one.amount * change.amount > 0][:_MOST_CAUSES]
    parts = [growth_words(shown, trend.unit)] if shown else []
    if len(change.causes) > len(shown):
        parts.append(f"and {len(change.causes) - len(shown)} more")
    parts += [f"{one.name} {_short(one.before)} → {_short(one.after)}" for one in change.inputs]
    return ", ".join(parts) or "neither packages nor parameters nor the workbook changed"


def _short(value: str) -> str:
    """A parameter or version; of a checksum, its beginning."""
    head, dash, tail = value.partition("-")
    is_checksum = len(head) >= 32 and all(letter in "0123456789abcdef" for letter in head)
    return f"{head[:10]}{dash}{tail}" if is_checksum else value or "none"
