"""Sentences about the interactions of a factor study."""

from atomic_lib.report.elements.values import quantity
from atomic_lib.results.analysis.factor_effects import CRITERIA, Interaction, interactions
from atomic_lib.results.analysis.metrics import Criterion
from atomic_lib.results.study_result import StudyResult


def sentences(study: StudyResult) -> tuple[tuple[str, str], ...]:
    """What the interactions show: what is removed only by two choices together, else how the choices add up."""
    found = []
    for criterion in CRITERIA:
        for one in interactions(study, criterion):
            head = f"{criterion.title[:1].upper()}{criterion.title[1:]}"
            found.append((f"{head}:", _sentence(one, criterion)))
    return tuple(found)


def named(one: Interaction) -> str:
    """The two choices of an interaction."""
    return f"{one.first[0]} {one.first[2]} and {one.second[0]} {one.second[2]}"


def _sentence(one: Interaction, criterion: Criterion) -> str:
    empty = [words for words, value in one.combinations() if value == 0]
    others = ", ".join(f"{quantity(v, criterion.unit)} with {words}" for words, v in one.combinations() if v)
    if len(empty) == 1:
        return f"is removed only with {empty[0]}; {others}."
    neither, first, second, both = (quantity(value, criterion.unit) for value in one.values)
    values = f"{neither} with neither, {first} with only the first, {second} with only the second, {both} with both"
    if one.contrast == 0:
        return f"{named(one)} add up: {values}."
    than = "more" if one.contrast > 0 else "less"
    cost = quantity(abs(one.contrast), criterion.unit)
    return f"{named(one)} together cost {cost} {than} than the two alone add up to: {values}."
