"""What stands in for a variant that failed, and what it costs.

A column of figures is always of one variant: those of a fallback stand beside the failed one's,
with its own name over them, and are never filled into the gaps of the other.
"""

from atomic_lib.report.page.elements import Cell, Paragraph, Section, Table, delta, missing, number
from atomic_lib.report.text import methods
from atomic_lib.report.text.fallback_words import failure_words, words
from atomic_lib.results.fallbacks import (
    Contingency,
    Price,
    contingencies,
    in_place,
    prices,
)
from atomic_lib.results.variant_result import StudyResult, VariantResult


def section(study: StudyResult) -> Section:
    """Per failed variant with a fallback what stands in, and its price as a table; nothing where there is none."""
    parts: list[Paragraph | Table] = []
    for found in contingencies(study):
        parts.append(Paragraph(f"{found.failed.variant} {failure_words(found.failed)}. {words(study, found)}"))
        if found.stand_in:
            parts.append(_table(study, found, found.stand_in))
    return Section("What the fallback costs", "", tuple(parts))


def _table(study: StudyResult, found: Contingency, stand_in: VariantResult) -> Table:
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
    notes = tuple(f"The earlier run of {found.failed.variant} is {run}, its newest that succeeded." for run in runs)
    how = (
        f"{methods.TREE} Counted boots are compared where both were counted in the same way. Wall-clock times are not: "
        "boots that failed, or of another session, are no samples."
    )
    return Table(f"What {marked}, costs", header, rows, records, notes, how, "fallbacks.csv", fixed=True)


def _failed_cell(price: Price, failed: VariantResult) -> Cell:
    if price.failed is None:
        return missing(f"{price.metric.reason(failed)}; no earlier run")
    return number(price.failed, price.metric.unit, note="earlier run" if price.run else "this run")


def _cost(price: Price) -> Cell:
    if price.failed is None or price.cost is None:
        return missing("not known")
    return Cell(delta(price.fallback, price.failed, price.metric.unit), kind="number", value=price.cost)
