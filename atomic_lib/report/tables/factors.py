"""A factor study: its cells, what each level does alone, and where two choices only pay together."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from statistics import mean

from atomic_lib.report.page.elements import Cell, Table, Unit, missing, number, quantity, signed
from atomic_lib.report.text import fallback_words, methods
from atomic_lib.results.metrics import missing_reason
from atomic_lib.results.variant_result import Cell as FactorCell
from atomic_lib.results.variant_result import Factor, StudyResult, VariantResult

PYTHON = "python"
_TREE_ONLY = (
    "Effects on the tree: what only an image has (ostree's metadata, the second copy of /etc, file system) is in none "
    "of these figures."
)


@dataclass(frozen=True)
class Measured:
    """A figure of a cell: None where the cell has no tree."""

    title: str
    unit: Unit
    value: Callable[[VariantResult], float | None]


def _python_bytes(result: VariantResult) -> float | None:
    return sum(size.bytes for size in result.classes if size.class_ == PYTHON) if result.classes else None


MEASURES = (
    Measured("Python", "bytes", _python_bytes),
    Measured("tree", "bytes", lambda result: result.tree_bytes),
    Measured("packages", "count", lambda result: result.package_count),
)


@dataclass(frozen=True)
class Effect:
    """What a level does against its factor's base level, in every pair of cells that was measured.

    ``pairs``: how many pairs the study has. ``simple``: the base cell is the only partner.
    """

    factor: str
    level: str
    base: str
    differences: tuple[float, ...]
    pairs: int
    simple: bool

    @property
    def kind(self) -> str:
        """In words, what the effect is taken over."""
        known = len(self.differences)
        if not known:
            return "not measured"
        if self.simple:
            return "simple effect at the base"
        return f"mean over {known if known == self.pairs else f'{known} of {self.pairs}'} pairs of cells"


@dataclass(frozen=True)
class Interaction:
    """Two levels of two factors in all four combinations, the other factors at their base.

    ``values``: neither, only the first, only the second, both.
    """

    first: tuple[str, str, str]
    second: tuple[str, str, str]
    values: tuple[float, float, float, float]

    @property
    def contrast(self) -> float:
        """The effect of both less the sum of the effects of each alone; 0 where they add up."""
        neither, first, second, both = self.values
        return both - first - second + neither

    def combinations(self) -> Iterator[tuple[str, float]]:
        """The four combinations in words, with their values."""
        (one, base_one, level_one), (two, base_two, level_two) = self.first, self.second
        pairs = product((base_two, level_two), (base_one, level_one))
        for (of_two, of_one), value in zip(pairs, self.values, strict=True):
            yield f"{one} {of_one} and {two} {of_two}", value


def without_cells(study: StudyResult) -> StudyResult:
    """The study without the variants that are cells of its factors; they have tables of their own.

    A baseline stays, and a cell that failed and has a fallback, and one that stands in.
    """
    hidden = {cell.variant for cell in study.cells} - {study.baseline}
    kept = tuple(
        result for result in study.variants if result.variant not in hidden or fallback_words.words_for(study, result)
    )
    return study.model_copy(update={"variants": kept}) if kept else study


def value_of(study: StudyResult, levels: Mapping[str, str], measure: Measured) -> float | None:
    """The figure of the cell with these levels; None where there is no such cell or it has no figure."""
    cell = next((cell for cell in study.cells if cell.levels == dict(levels)), None)
    result = study.variant(cell.variant) if cell else None
    return measure.value(result) if result else None


def effects(study: StudyResult, measure: Measured) -> tuple[Effect, ...]:
    """The effect of every level but the base ones."""
    return tuple(_effect(study, factor, level, measure) for factor in study.factors for level in factor.levels[1:])


def interactions(study: StudyResult, measure: Measured) -> tuple[Interaction, ...]:
    """Every pair of levels of two factors for which all four combinations were measured."""
    base = {factor.name: factor.levels[0] for factor in study.factors}
    found = []
    for one, two in combinations(study.factors, 2):
        for level_one, level_two in product(one.levels[1:], two.levels[1:]):
            values = [
                value_of(study, {**base, one.name: of_one, two.name: of_two}, measure)
                for of_two, of_one in product((base[two.name], level_two), (base[one.name], level_one))
            ]
            known = [value for value in values if value is not None]
            if len(known) == 4:
                pair = ((one.name, base[one.name], level_one), (two.name, base[two.name], level_two))
                found.append(Interaction(*pair, (known[0], known[1], known[2], known[3])))
    return tuple(found)


def sentences(study: StudyResult) -> tuple[tuple[str, str], ...]:
    """What the interactions say: whether something leaves only where two choices meet, else how they add up."""
    found = []
    for measure in MEASURES:
        for one in interactions(study, measure):
            head = f"{measure.title[:1].upper()}{measure.title[1:]}"
            found.append((f"{head}:", _sentence(one, measure)))
    return tuple(found)


def cells_table(study: StudyResult) -> Table:
    """Every cell with its levels and its figures."""
    rows = [(Cell(cell.variant), *_levels(study, cell), *_figures(study, cell)) for cell in study.cells]
    header = ("cell", *(factor.name for factor in study.factors), *(f"{m.title}" for m in MEASURES))
    records = tuple(
        {"variant": c.variant, **c.levels, **{m.title: value_of(study, c.levels, m) for m in MEASURES}}
        for c in study.cells
    )
    return Table("Cells of the factor study", header, tuple(rows), records, (), methods.FACTORS, "cells.csv")


def effects_table(study: StudyResult) -> Table:
    """What each level does against its factor's base level."""
    by_measure = [effects(study, measure) for measure in MEASURES]
    rows, records = [], []
    for place, effect in enumerate(by_measure[0]):
        same = [of[place] for of in by_measure]
        cells = [_effect_cell(one, measure) for one, measure in zip(same, MEASURES, strict=True)]
        rows.append((Cell(f"{effect.factor}: {effect.level}"), Cell(effect.base), *cells, Cell(effect.kind)))
        records += [
            {"factor": e.factor, "level": e.level, "figure": m.title, "pairs": len(e.differences),
             "effect": mean(e.differences) if e.differences else None}
            for e, m in zip(same, MEASURES, strict=True)
        ]  # fmt: skip
    header = ("level", "against", *(m.title for m in MEASURES), "kind of effect")
    return Table("Main effects", header, tuple(rows), tuple(records), (_TREE_ONLY,), methods.FACTORS, "cells.csv")


def interactions_table(study: StudyResult) -> Table:
    """The four combinations of every two levels, and their interaction."""
    rows, records = [], []
    for measure in MEASURES:
        for one in interactions(study, measure):
            cells = (number(value, measure.unit) for value in one.values)
            contrast = Cell(signed(one.contrast, measure.unit), kind="number", value=one.contrast)
            rows.append((Cell(_named(one)), Cell(measure.title), *cells, contrast))
            records.append({"pair": _named(one), "figure": measure.title, "interaction": one.contrast})
    header = (
        "first and second choice",
        "figure",
        "neither",
        "only the first",
        "only the second",
        "both",
        "interaction",
    )
    note = "Interaction: what both do together, less the sum of what each does alone; 0 where they add up."
    return Table("Interactions", header, tuple(rows), tuple(records), (note,), methods.FACTORS, "cells.csv")


def _effect(study: StudyResult, factor: Factor, level: str, measure: Measured) -> Effect:
    base = {factor.name: factor.levels[0] for factor in study.factors}
    made = [cell.levels for cell in study.cells]
    pairs = [
        (cell, partner)
        for cell in study.cells
        if cell.levels[factor.name] == level and (partner := {**cell.levels, factor.name: factor.levels[0]}) in made
    ]
    differences = (_pair(study, cell, factor, measure) for cell, _ in pairs)
    known = tuple(difference for difference in differences if difference is not None)
    simple = all(partner == base for _, partner in pairs)
    return Effect(factor.name, level, factor.levels[0], known, len(pairs), simple)


def _pair(study: StudyResult, cell: FactorCell, factor: Factor, measure: Measured) -> float | None:
    partner = value_of(study, {**cell.levels, factor.name: factor.levels[0]}, measure)
    value = value_of(study, cell.levels, measure)
    return None if value is None or partner is None else value - partner


def _named(one: Interaction) -> str:
    return f"{one.first[0]} {one.first[2]} and {one.second[0]} {one.second[2]}"


def _sentence(one: Interaction, measure: Measured) -> str:
    empty = [words for words, value in one.combinations() if value == 0]
    others = ", ".join(f"{quantity(v, measure.unit)} with {words}" for words, v in one.combinations() if v)
    if len(empty) == 1:
        return f"leaves only with {empty[0]}: 0 there; {others}."
    neither, first, second, both = (quantity(value, measure.unit) for value in one.values)
    told = f"{neither} with neither, {first} with only the first, {second} with only the second, {both} with both"
    if one.contrast == 0:
        return f"{_named(one)} add up: {told}."
    than = "more" if one.contrast > 0 else "less"
    cost = quantity(abs(one.contrast), measure.unit)
    return f"{_named(one)} together cost {cost} {than} than the two alone add up to: {told}."


def _levels(study: StudyResult, cell: FactorCell) -> Iterator[Cell]:
    for factor in study.factors:
        yield Cell(cell.levels[factor.name])


def _figures(study: StudyResult, cell: FactorCell) -> Iterator[Cell]:
    result = study.variant(cell.variant)
    for measure in MEASURES:
        if result is None:
            yield missing("not made")
        else:
            yield number(measure.value(result), measure.unit, reason=missing_reason(result))


def _effect_cell(effect: Effect, measure: Measured) -> Cell:
    if not effect.differences:
        return missing("not measured")
    low, high = (signed(of(effect.differences), measure.unit) for of in (min, max))
    note = "" if low == high else f"{low} to {high}"
    return Cell(signed(mean(effect.differences), measure.unit), note, "number", value=mean(effect.differences))
