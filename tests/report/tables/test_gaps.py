"""Every table, figure and text shows gaps as gaps, whatever is missing."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import TypeVar

import pytest

from atomic_lib.report.elements.blocks import Shown
from atomic_lib.report.figures import interaction, size_figures, timeline, treemap, waterfall
from atomic_lib.report.tables import comparison_tables, overview_tables, variant_tables
from atomic_lib.report.tables.boot import boot_tables, counted_tables, unit_tables
from atomic_lib.report.tables.build_contents import (
    footprint_tables,
    package_change_tables,
    package_tables,
    sharing_tables,
)
from atomic_lib.report.text import conclusions
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult
from tests.report import factory
from tests.report.enriched import enriched_study, factor_study
from tests.report.factory import study_of

OF_STUDY: tuple[Callable[[StudyResult], Shown], ...] = (
    overview_tables.heading,
    overview_tables.overview,
    comparison_tables.comparison,
    comparison_tables.checks,
    comparison_tables.stages,
    comparison_tables.provenance,
    package_change_tables.changes,
    package_change_tables.causes_table,
    conclusions.conclusions,
    conclusions.failures,
    size_figures.figure_footprint,
    size_figures.figure_boots,
    size_figures.figure_sharing,
    size_figures.figure_image,
    footprint_tables.footprint,
    footprint_tables.image_parts,
    footprint_tables.directories,
    sharing_tables.sharing,
    package_tables.packages_side_by_side,
    package_tables.departures,
    waterfall.section,
    interaction.section,
    treemap.figure_treemap,
    timeline.time_lines,
    boot_tables.verdicts,
    boot_tables.boot_times,
    boot_tables.running,
    counted_tables.counted,
    unit_tables.units,
    unit_tables.packages_at_boot,
)
OF_VARIANT: tuple[Callable[[VariantResult], Shown], ...] = (
    variant_tables.summary_table,
    variant_tables.notes_table,
    package_tables.packages_table,
    variant_tables.classes_table,
    variant_tables.boots_table,
    variant_tables.checks_table,
    unit_tables.units_table,
    variant_tables.stages_table,
    variant_tables.provenance_table,
    size_figures.figure_classes,
    size_figures.figure_boot,
    timeline.figure_time_line,
    package_tables.departures_table,
)


Of = TypeVar("Of", StudyResult, VariantResult)
_SHOWN: dict[tuple[object, str], str] = {}


def html_of(show: Callable[[Of], Shown], of: Of) -> str:
    """The HTML of a table, figure or text, which takes long to draw: that of equal results is made once."""
    key = show, of.model_dump_json()
    if key not in _SHOWN:
        _SHOWN[key] = show(of)._repr_html_()
    return _SHOWN[key]


def of_studies(studies: Sequence[StudyResult]) -> Iterator[str]:
    """The HTML of every table, figure and text of the studies, as a whole."""
    for study, show in product(studies, OF_STUDY):
        yield html_of(show, study)


def of_variants(studies: Sequence[StudyResult]) -> Iterator[str]:
    """The HTML of every table, figure and text of one variant; one that is in several studies is shown once."""
    results = {id(result): result for study in studies for result in study.variants}
    for result, tell in product(results.values(), OF_VARIANT):
        yield html_of(tell, result)


@pytest.mark.parametrize(
    "results",
    [factory.all_results(), [factory.failed_result()], [factory.incomplete_result()], []],
    ids=["all", "failed", "incomplete", "none"],
)
def test_nothing_shows_nan_or_none_whatever_is_missing(results: list[VariantResult]) -> None:
    study = study_of(*results)
    studies = (study, enriched_study(study, "atomic-min"), factor_study(study))
    found = [*of_studies(studies), *of_variants(studies)]
    assert len(found) > 3 * 25 + 10 * len(results)
    for html in found:
        assert not re.search(r"\b(nan|None|NaN|inf|<NA>)\b", html)
        assert html.count("<table") == html.count("</table>")
        assert html.count("<details") == html.count("</details>")
