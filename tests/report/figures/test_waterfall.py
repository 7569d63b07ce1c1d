"""The waterfall: its steps add up, gaps move into the next step, a boot costs counted seconds or is not measured."""

import pytest

from atomic_lib.params.study_file import Step
from atomic_lib.report.figures import waterfall
from atomic_lib.report.tables import decision_tables
from atomic_lib.results.analysis import decisions
from atomic_lib.results.analysis.metrics import Criterion
from atomic_lib.results.study_result import StudyResult
from tests.report.enriched import enriched_study
from tests.report.factory import plain


def stepped(study: StudyResult, *names: str) -> StudyResult:
    return study.model_copy(update={"steps": tuple(Step(decision=f"take {name}", variant=name) for name in names)})


def test_the_steps_add_up_to_the_whole_difference(study: StudyResult) -> None:
    costs = decisions.decision_costs(stepped(study, "atomic-cloud-init", "atomic-min"), decisions.TREE)
    base, last = study.variants[0].tree_bytes, study.variants[2].tree_bytes
    assert costs[0].change is None
    assert sum(cost.change or 0 for cost in costs) == (last or 0) - (base or 0)
    table = decision_tables.table(stepped(study, "atomic-cloud-init", "atomic-min"))
    assert plain(table.rows[-1][3].text) == "-154.6 MB"
    assert table.rows[-1][3].value == (last or 0) - (base or 0)


def test_a_step_without_figures_is_counted_in_the_next(study: StudyResult) -> None:
    costs = decisions.decision_costs(stepped(study, "atomic-broken", "atomic-min"), decisions.TREE)
    assert (costs[1].after, costs[1].change) == (None, None)
    assert costs[2].change == (study.variants[2].tree_bytes or 0) - (study.variants[0].tree_bytes or 0)
    html = waterfall.section(stepped(study, "atomic-broken", "atomic-min"))._repr_html_()
    assert "in the next step" in html
    assert html.count("<svg") == 2


def test_boot_cost_is_counted_and_never_a_difference_of_wall_times(study: StudyResult) -> None:
    assert decisions.criteria_of(enriched_study(study, "atomic-min")) == (
        decisions.TREE, decisions.IMAGE, decisions.BOOT,
    )  # fmt: skip
    booted = stepped(study, "atomic-min")
    assert decisions.criteria_of(booted) == (decisions.TREE, decisions.IMAGE)
    html = waterfall.section(booted)._repr_html_()
    assert html.count("Boot cost: not measured (set counted_boots: 1 to measure it).") >= 2
    assert "wall" not in html


@pytest.mark.parametrize(
    ("field", "value", "criterion"),
    [("counted_boots", (), decisions.BOOT), ("image_compressed_bytes", None, decisions.IMAGE)],
)
def test_a_measure_that_one_step_has_no_figure_of_is_left_out(
    study: StudyResult, field: str, value: object, criterion: Criterion
) -> None:
    whole = enriched_study(study, "atomic-cloud-init", "atomic-min", "atomic-broken")
    assert criterion in decisions.criteria_of(whole)
    names = ("atomic-min",)
    parts = tuple(r.model_copy(update={field: value}) if r.variant in names else r for r in whole.variants)
    assert criterion not in decisions.criteria_of(whole.model_copy(update={"variants": parts}))


def test_the_image_has_its_own_columns_and_adds_up(study: StudyResult) -> None:
    table = decision_tables.table(enriched_study(study, "atomic-cloud-init", "atomic-min"))
    assert table.header[4:6] == ("compressed image", "change of compressed image")
    base, last = (r.image_compressed_bytes or 0 for r in enriched_study(study).variants[:3:2])
    assert table.rows[-1][5].value == last - base


def test_without_steps_there_is_no_heading(study: StudyResult) -> None:
    assert waterfall.section(study)._repr_html_() == ""
