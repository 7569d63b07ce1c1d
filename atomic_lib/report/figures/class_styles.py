"""The colour and hatch of each footprint class: the same in every figure of every page."""

from collections.abc import Iterable

from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.figures.picture import HATCHES, Style
from atomic_lib.results.variant_result import VariantResult

LARGEST = 8
"""So many classes of a figure are drawn by themselves; the rest is drawn together."""
REST = "all other classes"
REST_STYLE = Style("#dddddd", "")
_COLOURS = (
    "#0072b2", "#56b4e9", "#882255", "#6a5acd", "#d55e00", "#ddcc77", "#cc79a7", "#f0e442", "#009e73", "#aa4499",
    "#e69f00", "#44aa99", "#999933", "#cc6677", "#b7a6d9", "#a0522d",
)  # fmt: skip
"""In the order of params/rules/classes.yaml: Okabe and Ito's colours for the large classes, then Tol's muted ones."""


def class_style(name: str) -> Style:
    """The colour and hatch of a class, by its place in params/rules/classes.yaml."""
    place = default_class_rules().order_of(name)
    if place >= len(_COLOURS):
        return Style("#8a8f98", "|||")  # what no other class takes, and classes of older results
    return Style(_COLOURS[place], HATCHES[place % len(HATCHES)])


def largest_classes(results: Iterable[VariantResult]) -> list[str]:
    """The largest classes of some trees, in the order of the rules."""
    largest: dict[str, int] = {}
    for result in results:
        for size in result.classes:
            largest[size.class_] = max(largest.get(size.class_, 0), size.bytes)
    chosen = sorted(largest, key=lambda name: -largest[name])[:LARGEST]
    return sorted(chosen, key=default_class_rules().order_of)
