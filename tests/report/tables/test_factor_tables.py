"""Factor studies: effects over cells, interactions as contrasts, sentences only where they are true."""

import pytest

from atomic_lib.report.figures import interaction
from atomic_lib.report.tables import factor_tables
from atomic_lib.report.text import factor_words
from atomic_lib.results.analysis import factor_effects
from atomic_lib.results.study_result import StudyResult
from tests.report import factory
from tests.report.enriched import factor_study
from tests.report.factory import plain, study_of

PYTHON, TREE, PACKAGES = factor_effects.CRITERIA


def made(python_bytes: tuple[int, int, int, int]) -> StudyResult:
    """A factor study: Python bytes of the base cell, with dnf, with cloud-init, with both."""
    return factor_study(study_of(factory.variant_result("cloud-docker")), python_bytes)


@pytest.fixture(scope="module")
def study() -> StudyResult:
    return made((0, 40_000_000, 55_000_000, 60_000_000))


def test_a_crossed_factor_has_a_mean_effect_and_another_a_simple_one(study: StudyResult) -> None:
    found = {effect.level: effect for effect in factor_effects.effects(study, PYTHON)}
    assert found["dnf"].differences == (40_000_000, 5_000_000)
    assert (found["dnf"].simple, found["with"].simple) == (False, True)
    rows = {row[0].text: [plain(cell.text) for cell in row] for row in factor_tables.effects_table(study).rows}
    assert rows["manager: dnf"][2] == "+22.5 MB"
    assert rows["manager: dnf"][-1] == "mean over 2 pairs of cells"
    assert rows["docs: with"][2:] == ["±0", "+20.0 MB", "+80", "simple effect at the base"]


def test_the_interaction_is_the_difference_of_differences(study: StudyResult) -> None:
    (found,) = factor_effects.interactions(study, PYTHON)
    assert found.values == (0, 40_000_000, 55_000_000, 60_000_000)
    assert found.contrast == -35_000_000
    (packages,) = factor_effects.interactions(study, PACKAGES)
    assert packages.contrast == 0


def test_what_leaves_only_where_two_choices_meet_is_said(study: StudyResult) -> None:
    said = {head: plain(text) for head, text in factor_words.sentences(study)}
    assert said["Python:"].startswith("is removed only with manager none and agent min-cloud-agent; 40.0 MB")
    assert said["Packages:"].startswith("manager dnf and agent cloud-init add up: 180 with neither")
    assert "together cost 35.0 MB less than the two alone add up to" in said["Tree:"]


@pytest.mark.parametrize(
    "python_bytes", [(5, 40, 55, 60), (0, 0, 55, 60), (0, 0, 0, 0)], ids=["stays", "by one choice", "never there"]
)
def test_it_is_not_said_where_it_is_not_true(python_bytes: tuple[int, int, int, int]) -> None:
    assert not any("removed only" in text for _, text in factor_words.sentences(made(python_bytes)))


def test_a_cell_that_failed_makes_gaps_and_no_figures(study: StudyResult) -> None:
    kept = tuple(result for result in study.variants if result.variant != "cell-3")
    gap = study.model_copy(update={"variants": kept})
    assert factor_effects.interactions(gap, PYTHON) == ()
    assert {e.level: e.differences for e in factor_effects.effects(gap, PYTHON)}["dnf"] == (40_000_000,)
    kinds = {row[0].text: row[-1].text for row in factor_tables.effects_table(gap).rows}
    assert kinds["manager: dnf"] == "mean over 1 of 2 pairs of cells"
    html = interaction.section(gap)._repr_html_()
    assert "not made" in html
    assert "No two factors are crossed" in html


def test_cells_are_no_variants_of_the_other_tables(study: StudyResult) -> None:
    assert [result.variant for result in factor_effects.without_cells(study).variants] == ["cloud-docker"]


def test_the_plot_tells_its_figures_and_a_study_without_cells_has_none(study: StudyResult) -> None:
    picture = interaction.figure_interaction(study)
    assert "manager dnf and agent cloud-init 60.0 MB" in plain(picture.alt)
    assert interaction.section(factor_effects.without_cells(study_of()))._repr_html_() == ""


def test_an_effect_without_any_figure_is_not_measured_and_no_mean(study: StudyResult) -> None:
    none = study.model_copy(update={"variants": study.variants[:1]})
    rows = {row[0].text: [cell.text for cell in row] for row in factor_tables.effects_table(none).rows}
    assert {row[-1] for row in rows.values()} == {"not measured"}


def test_effects_are_said_to_be_those_on_the_tree(study: StudyResult) -> None:
    assert "the second copy of /etc" in factor_tables.effects_table(study)._repr_html_()
