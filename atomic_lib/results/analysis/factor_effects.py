"""A factor study: what each level of a factor changes alone, and which choices interact."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from atomic_lib.results.analysis import fallbacks
from atomic_lib.results.analysis.metrics import Criterion
from atomic_lib.results.study_result import Factor, StudyResult
from atomic_lib.results.variant_result import VariantResult

PYTHON = "python"


def _python_bytes(result: VariantResult) -> float | None:
    return sum(size.bytes for size in result.classes if size.class_ == PYTHON) if result.classes else None


CRITERIA = (
    Criterion("Python", "bytes", _python_bytes),
    Criterion("tree", "bytes", lambda result: result.tree_bytes),
    Criterion("packages", "count", lambda result: result.package_count),
)


@dataclass(frozen=True)
class Effect:
    """What a level changes against its factor's base level, in every two cells that differ in this factor alone.

    ``comparisons``: how many such twos the study has, measured or not. ``simple``: they all have the base cell.
    """

    factor: str
    level: str
    base: str
    differences: tuple[float, ...]
    comparisons: int
    simple: bool

    @property
    def kind(self) -> str:
        """In words, over which cells the effect is taken."""
        known = len(self.differences)
        if not known:
            return "not measured"
        if self.simple:
            return "simple effect at the base"
        count = f"{known}" if known == self.comparisons else f"{known} of {self.comparisons}"
        return f"mean over {count} pairs of cells"


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
        levels = product((base_two, level_two), (base_one, level_one))
        for (of_two, of_one), value in zip(levels, self.values, strict=True):
            yield f"{one} {of_one} and {two} {of_two}", value


def without_cells(study: StudyResult) -> StudyResult:
    """The study without the variants that are cells of its factors; they have tables of their own.

    The baseline stays, and so do a cell that failed and has a fallback, and a cell that stands in for another.
    """
    hidden = {cell.variant for cell in study.cells} - {study.baseline}
    kept = tuple(result for result in study.variants if result.variant not in hidden or _has_fallback(study, result))
    return study.model_copy(update={"variants": kept}) if kept else study


def value_of(study: StudyResult, levels: Mapping[str, str], criterion: Criterion) -> float | None:
    """The figure of the cell with these levels; None if there is no such cell or it has no figure."""
    cell = next((cell for cell in study.cells if cell.levels == dict(levels)), None)
    result = study.variant(cell.variant) if cell else None
    return criterion.value(result) if result else None


def effects(study: StudyResult, criterion: Criterion) -> tuple[Effect, ...]:
    """The effect of every level but the base ones."""
    return level_effects(study.factors, _figures(study, criterion))


def level_effects(
    factors: Iterable[Factor], figures: Iterable[tuple[Mapping[str, str], float | None]]
) -> tuple[Effect, ...]:
    """The effect of every level but the base ones on a figure of cells, given with the levels of each by factor."""
    known = list(factors)
    base = {factor.name: factor.levels[0] for factor in known}
    by_levels = {frozenset(levels.items()): (levels, figure) for levels, figure in figures}
    found = []
    for factor in known:
        compared: dict[str, list[tuple[Mapping[str, str], float | None]]] = {name: [] for name in factor.levels[1:]}
        for levels, figure in by_levels.values():
            partner = {**levels, factor.name: factor.levels[0]}
            other = by_levels.get(frozenset(partner.items()))
            if other and levels[factor.name] in compared:
                compared[levels[factor.name]].append((partner, _difference(figure, other[1])))
        for level, pairs in compared.items():
            differences = tuple(difference for _, difference in pairs if difference is not None)
            simple = all(partner == base for partner, _ in pairs)
            found.append(Effect(factor.name, level, factor.levels[0], differences, len(pairs), simple))
    return tuple(found)


def interactions(study: StudyResult, criterion: Criterion) -> tuple[Interaction, ...]:
    """Every two levels of two factors for which all four combinations were measured."""
    return level_interactions(study.factors, _figures(study, criterion))


def level_interactions(
    factors: Iterable[Factor], figures: Iterable[tuple[Mapping[str, str], float | None]]
) -> tuple[Interaction, ...]:
    """Every two levels of two factors whose four combinations have a figure, given with the levels of each cell."""
    known = list(factors)
    base = {factor.name: factor.levels[0] for factor in known}
    by_levels = {frozenset(levels.items()): figure for levels, figure in figures}
    found = []
    for one, two in combinations(known, 2):
        for level_one, level_two in product(one.levels[1:], two.levels[1:]):
            cells = (
                {**base, one.name: of_one, two.name: of_two}
                for of_two, of_one in product((base[two.name], level_two), (base[one.name], level_one))
            )
            values = [by_levels.get(frozenset(cell.items())) for cell in cells]
            numbers = [value for value in values if value is not None]
            if len(numbers) == 4:
                choices = ((one.name, base[one.name], level_one), (two.name, base[two.name], level_two))
                found.append(Interaction(*choices, (numbers[0], numbers[1], numbers[2], numbers[3])))
    return tuple(found)


def _figures(study: StudyResult, criterion: Criterion) -> list[tuple[Mapping[str, str], float | None]]:
    results = {result.variant: result for result in study.variants}
    return [
        (cell.levels, criterion.value(results[cell.variant]) if cell.variant in results else None)
        for cell in study.cells
    ]


def _difference(value: float | None, base: float | None) -> float | None:
    return None if value is None or base is None else value - base


def _has_fallback(study: StudyResult, result: VariantResult) -> bool:
    return bool(fallbacks.fallback_outcome(study, result) or fallbacks.stands_in_for(study, result))
