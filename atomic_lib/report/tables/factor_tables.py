"""Tables of a factor study: its cells, the effect of each level, the interactions of choices."""

from collections.abc import Iterator
from statistics import mean

from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import signed
from atomic_lib.report.text import methods
from atomic_lib.report.text.factor_words import named
from atomic_lib.results.analysis.factor_effects import (
    CRITERIA,
    Effect,
    Interaction,
    effects,
    interactions,
    value_of,
)
from atomic_lib.results.analysis.metrics import Unit, missing_reason
from atomic_lib.results.study_result import FactorCell, StudyResult

_TREE_ONLY = (
    "The effects are on the tree: what only an image has (ostree's metadata, the second copy of /etc, the file system) "
    "is not in these figures."
)


def cells_table(study: StudyResult) -> Table:
    """Every cell with its levels and its figures."""
    rows = [(Cell(cell.variant), *_levels(study, cell), *_figures(study, cell)) for cell in study.cells]
    header = ("cell", *(factor.name for factor in study.factors), *(f"{m.title}" for m in CRITERIA))
    records = tuple(
        {"variant": c.variant, **c.levels, **{m.title: value_of(study, c.levels, m) for m in CRITERIA}}
        for c in study.cells
    )
    return Table("Cells of the factor study", header, tuple(rows), records, (), methods.FACTORS, "cells.csv")


def effects_table(study: StudyResult) -> Table:
    """What each level changes against its factor's base level."""
    by_criterion = [effects(study, criterion) for criterion in CRITERIA]
    rows, records = [], []
    for place, effect in enumerate(by_criterion[0]):
        same = [of[place] for of in by_criterion]
        cells = [effect_cell(one, criterion.unit) for one, criterion in zip(same, CRITERIA, strict=True)]
        rows.append((Cell(f"{effect.factor}: {effect.level}"), Cell(effect.base), *cells, Cell(effect.kind)))
        records += [
            {"factor": e.factor, "level": e.level, "figure": m.title, "comparisons": len(e.differences),
             "effect": mean(e.differences) if e.differences else None}
            for e, m in zip(same, CRITERIA, strict=True)
        ]  # fmt: skip
    header = ("level", "against", *(m.title for m in CRITERIA), "kind of effect")
    return Table("Main effects", header, tuple(rows), tuple(records), (_TREE_ONLY,), methods.FACTORS, "cells.csv")


INTERACTION_COLUMNS = ("neither", "only the first", "only the second", "both", "interaction")
INTERACTION_NOTE = (
    "Interaction: the effect of both together less the sum of the effects of each alone; 0 where they add up."
)


def interactions_table(study: StudyResult) -> Table:
    """The four combinations of every two levels, and their interaction."""
    rows, records = [], []
    for criterion in CRITERIA:
        for one in interactions(study, criterion):
            rows.append((Cell(named(one)), Cell(criterion.title), *interaction_cells(one, criterion.unit)))
            records.append({"choices": named(one), "figure": criterion.title, "interaction": one.contrast})
    header = ("first and second choice", "figure", *INTERACTION_COLUMNS)
    return Table("Interactions", header, tuple(rows), tuple(records), (INTERACTION_NOTE,), methods.FACTORS, "cells.csv")


def interaction_cells(one: Interaction, unit: Unit) -> tuple[Cell, ...]:
    """The cells of ``INTERACTION_COLUMNS``."""
    contrast = Cell(signed(one.contrast, unit), kind="number", value=one.contrast)
    return (*(number(value, unit) for value in one.values), contrast)


def effect_cell(effect: Effect, unit: Unit, *, reason: str = "not measured") -> Cell:
    """The mean of an effect, with its range below it where the pairs of cells differ; or a dash with ``reason``."""
    if not effect.differences:
        return missing(reason)
    low, high = (signed(of(effect.differences), unit) for of in (min, max))
    note = "" if low == high else f"{low} to {high}"
    return Cell(signed(mean(effect.differences), unit), note, "number", value=mean(effect.differences))


def _levels(study: StudyResult, cell: FactorCell) -> Iterator[Cell]:
    for factor in study.factors:
        yield Cell(cell.levels[factor.name])


def _figures(study: StudyResult, cell: FactorCell) -> Iterator[Cell]:
    result = study.variant(cell.variant)
    for criterion in CRITERIA:
        if result is None:
            yield missing("not made")
        else:
            yield number(criterion.value(result), criterion.unit, reason=missing_reason(result))
