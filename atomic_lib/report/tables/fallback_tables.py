"""The fallback that stands in for a failed variant, and what it costs.

Every column holds the figures of one variant: a fallback's figures have a column of their own and
never fill the gaps of the failed variant.
"""

from atomic_lib.report.elements.blocks import Paragraph, Section
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import delta
from atomic_lib.report.text import methods
from atomic_lib.report.text.fallback_words import failure_words, words
from atomic_lib.results.analysis.fallbacks import (
    FallbackOutcome,
    Price,
    fallback_outcomes,
    in_place,
    prices,
)
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult


def section(study: StudyResult) -> Section:
    """For each failed variant with a fallback: what stands in, and its cost as a table; nothing if there is none."""
    parts: list[Paragraph | Table] = []
    for found in fallback_outcomes(study):
        parts.append(Paragraph(f"{found.failed.variant} {failure_words(found.failed)}. {words(study, found)}"))
        if found.stand_in:
            parts.append(_table(study, found, found.stand_in))
    return Section("What the fallback costs", "", tuple(parts))


def _table(study: StudyResult, found: FallbackOutcome, stand_in: VariantResult) -> Table:
    priced = prices(study, found)
    marked = in_place(stand_in.variant, found.failed.variant)
    header = ("", f"{found.failed.variant} (failed)", marked, "what the fallback costs")
    rows = tuple(
        (Cell(p.metric.title), _failed_cell(p, found.failed), number(p.fallback, p.metric.unit), _cost(p))
        for p in priced
    )
    records = tuple(
        {"variant": found.failed.variant, "fallback": stand_in.variant, "figure": p.metric.name,
         "unit": p.metric.unit, "run": p.run or study.run, "failed_value": p.failed, "fallback_value": p.fallback,
         "cost": p.cost}
        for p in priced
    )  # fmt: skip
    runs = dict.fromkeys(price.run for price in priced if price.run)
    notes = tuple(f"Earlier run: {run}, the newest in which {found.failed.variant} succeeded." for run in runs)
    how = (
        f"{methods.TREE} Counted boots are compared where both were counted with the same settings. Wall-clock times "
        "are not compared: failed boots and boots of another session are not valid samples."
    )
    return Table(f"Cost of {marked}", header, rows, records, notes, how, "fallbacks.csv", fixed=True)


def _failed_cell(price: Price, failed: VariantResult) -> Cell:
    if price.failed is None:
        return missing(f"{price.metric.reason(failed)}; no earlier run")
    return number(price.failed, price.metric.unit, note="earlier run" if price.run else "this run")


def _cost(price: Price) -> Cell:
    if price.failed is None or price.cost is None:
        return missing("not known")
    return Cell(delta(price.fallback, price.failed, price.metric.unit), kind="number", value=price.cost)
