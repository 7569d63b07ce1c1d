"""The waterfall: its steps add up, gaps move into the next step, wall and counted seconds are never mixed."""

import pytest

from atomic_lib.report import waterfall
from atomic_lib.report.model import Step, StudyResult
from tests.report import factory
from tests.report.enriched import enriched_study
from tests.report.factory import plain, study_of


def stepped(study: StudyResult, *names: str) -> StudyResult:
    return study.model_copy(update={"steps": tuple(Step(decision=f"take {name}", variant=name) for name in names)})


@pytest.fixture(scope="module")
def study() -> StudyResult:
    return study_of(*factory.all_results())


def test_the_steps_add_up_to_the_whole_difference(study: StudyResult) -> None:
    costs = waterfall.costs(stepped(study, "atomic-cloud-init", "atomic-min"), waterfall.TREE)
    base, last = study.variants[0].tree_bytes, study.variants[2].tree_bytes
    assert costs[0].change is None
    assert sum(cost.change or 0 for cost in costs) == (last or 0) - (base or 0)
    table = waterfall.table(stepped(study, "atomic-cloud-init", "atomic-min"))
    assert plain(table.rows[-1][3].text) == "-154.6 MB"
    assert table.rows[-1][3].value == (last or 0) - (base or 0)


def test_a_step_without_figures_is_counted_in_the_next(study: StudyResult) -> None:
    costs = waterfall.costs(stepped(study, "atomic-broken", "atomic-min"), waterfall.TREE)
    assert (costs[1].after, costs[1].change) == (None, None)
    assert costs[2].change == (study.variants[2].tree_bytes or 0) - (study.variants[0].tree_bytes or 0)
    html = waterfall.section(stepped(study, "atomic-broken", "atomic-min"))._repr_html_()
    assert "in the next step" in html
    assert html.count("<svg") == 2


def test_boot_cost_is_counted_where_it_was_measured_else_wall_time_with_its_accelerator(study: StudyResult) -> None:
    wall = waterfall.boot_measure(stepped(study, "atomic-min"))
    assert wall is not None
    assert (wall.unit, wall.title) == ("seconds", "boot to Docker ready (BIOS, TCG, median wall time)")
    counted = waterfall.boot_measure(enriched_study(study, "atomic-min"))
    assert counted is not None
    assert counted.unit == "counted"


def test_without_boots_the_boot_cost_is_told_as_not_measured(study: StudyResult) -> None:
    built = study.model_copy(update={"variants": tuple(r.model_copy(update={"boots": ()}) for r in study.variants)})
    assert waterfall.boot_measure(stepped(built, "atomic-min")) is None
    html = waterfall.section(stepped(built, "atomic-min"))._repr_html_()
    assert html.count("Boot cost: not measured.") >= 2


def test_without_steps_there_is_no_heading(study: StudyResult) -> None:
    assert waterfall.section(study)._repr_html_() == ""
