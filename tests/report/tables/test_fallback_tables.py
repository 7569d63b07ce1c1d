"""A fallback: its figures beside the failed variant's, never in its name, and what it costs where that is known."""

import pytest

from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.params.study_file import Step
from atomic_lib.report.elements.table import Table
from atomic_lib.report.figures import waterfall
from atomic_lib.report.tables import comparison_tables, fallback_tables
from atomic_lib.report.text import in_short
from atomic_lib.report.text.conclusions import sentence
from atomic_lib.results.analysis import decisions, factor_effects, fallbacks
from atomic_lib.results.study_result import FactorCell, PreviousFigures, StudyResult
from atomic_lib.results.tables.csv_tables import csv_texts
from atomic_lib.results.variant_result import Failure, VariantResult
from tests.report import factory
from tests.report.enriched import enriched
from tests.report.factory import plain, study_of

FAILED, SPARE = "atomic-min", "atomic-cloud-init"
TIMEOUT = "atomic-min: no ssh login within 90 s (bios, tcg): it never asked the metadata service"


def proven(name: str) -> VariantResult:
    """A variant whose boots passed, counted ones too."""
    result = enriched(factory.variant_result(name))
    boots = tuple(
        boot.model_copy(update={"checks": tuple(Check(name=check.name, passed=True) for check in boot.checks)})
        for boot in result.boots
    )
    return result.model_copy(update={"boots": boots})


def failed(name: str, stage: str = "boot", message: str = TIMEOUT) -> VariantResult:
    """The variant as one that failed: at its boot with the figures of its image, else with none."""
    error = Failure(stage=stage, message=message)
    made = enriched(factory.variant_result(name))
    if stage == "boot":
        return made.model_copy(update={"status": "failed", "error": error, "boots": (), "counted_boots": ()})
    given = {key: getattr(made, key) for key in ("variant", "method", "content", "recipe", "agent", "parameters")}
    return VariantResult(status="failed", error=error, **given)


def study_with(*results: VariantResult, **values: object) -> StudyResult:
    study = study_of(proven("cloud-docker"), *results)
    return study.model_copy(update={"fallbacks": {FAILED: SPARE}, **values})


@pytest.fixture
def at_boot() -> StudyResult:
    """atomic-min was built and did not boot; cloud-init's variant did."""
    steps = (Step(decision="ostree", variant=SPARE), Step(decision="another agent", variant=FAILED))
    return study_with(proven(SPARE), failed(FAILED), steps=steps)


def said(study: StudyResult, name: str = FAILED) -> str:
    result = study.variant(name)
    assert result is not None
    return plain(in_short.sentence(study, result))


def test_a_failed_boot_costs_against_the_figures_of_its_own_image(at_boot: StudyResult) -> None:
    assert said(at_boot) == (
        "failed at the stage boot. Its fallback atomic-cloud-init stands in: +57.0 MB in the tree, +20.5 MB in the "
        "compressed image, +44 packages (against atomic-min's own figures of this run); Python remains."
    )
    assert said(at_boot, SPARE).endswith("It stands in for atomic-min.")
    failure = at_boot.variant(FAILED)
    assert failure is not None
    assert sentence(at_boot, failure).startswith(f"failed at the stage boot: {TIMEOUT} Its fallback atomic-cloud-init ")


def test_the_section_says_why_it_failed_and_has_every_figure(at_boot: StudyResult) -> None:
    paragraph, table = fallback_tables.section(at_boot).parts
    assert plain(paragraph._repr_html_()).startswith(f"<p>{FAILED} failed at the stage boot (no ssh login within 90 s ")
    assert isinstance(table, Table)
    assert table.header == ("", "atomic-min (failed)", "atomic-cloud-init, in place of atomic-min",
                            "what the fallback costs")  # fmt: skip
    rows = {row[0].text: [(plain(cell.text), plain(cell.note)) for cell in row[1:]] for row in table.rows}
    own, spare = at_boot.variants[2].tree_bytes or 0, at_boot.variants[1].tree_bytes or 0
    assert rows["tree"][0] == (f"{own / 1e6:.1f} MB", "this run")
    assert rows["tree"][2][0] == f"+{(spare - own) / 1e6:.1f} MB (+{100 * (spare - own) / own:.0f} %)"
    assert rows["files of Python"][0][0] == "0"
    counted = rows["boot (counted)"]
    assert (counted[0], counted[2]) == (("—", "failed: boot; no earlier run"), ("—", "not known"))
    assert not any("wall" in title or "ssh" in title for title in rows)
    lines = csv_texts(at_boot)["fallbacks.csv"].splitlines()
    assert len(lines) == 1 + len(table.rows)
    assert f"{FAILED},{SPARE},tree_bytes,bytes,r1,{own},{spare},{spare - own}" in [
        line.replace(".0,", ",").removesuffix(".0") for line in lines
    ]


def test_columns_are_of_one_variant_each_and_marked(at_boot: StudyResult) -> None:
    table = comparison_tables.comparison(at_boot)
    assert table.header[2:] == ("atomic-cloud-init, in place of atomic-min", "atomic-min")
    assert (table.rows[0][3].text, table.rows[0][3].note) == ("✗ failed", "stage boot; atomic-cloud-init stands in")
    login = next(row for row in table.rows if row[0].text.startswith("to ssh login"))
    assert (login[3].text, login[3].note) == ("—", "failed: boot"), "no figure of another variant in the gap"


def test_what_this_run_has_not_is_taken_from_an_earlier_one_by_name() -> None:
    figures = {"tree_bytes": 400e6, "package_count": 190.0, "forbidden:Python": 0.0}
    earlier = PreviousFigures(variant=FAILED, run="2026-01-01T00-00-00Z-default", figures=figures)
    study = study_with(proven(SPARE), failed(FAILED, "compose", "python3 came in"), previous=(earlier,))
    text = said(study)
    assert "(against atomic-min's own figures of run 2026-01-01T00-00-00Z-default); Python remains." in text
    table = fallback_tables.section(study).parts[1]._repr_html_()
    assert "Earlier run: 2026-01-01T00-00-00Z-default, the newest in which atomic-min succeeded." in table
    assert table.count("<small>earlier run</small>") == 3


def test_a_fallback_that_was_not_booted_is_no_proof(at_boot: StudyResult) -> None:
    spare = proven(SPARE).model_copy(update={"boots": (), "counted_boots": ()})
    footprint = {"parameters": {"last_stage": "tree"}}
    assert said(study_with(spare, failed(FAILED))).endswith(
        "Python remains. It was not booted, so nothing shows that it works."
    )
    assert "not booted" not in said(study_with(spare, failed(FAILED).model_copy(update=footprint)))
    assert "not booted" not in said(at_boot)


def test_without_any_figure_the_cost_is_not_known() -> None:
    study = study_with(proven(SPARE), failed(FAILED, "compose", "python3 came in"))
    tree = (study.variants[1].tree_bytes or 0) / 1e6
    assert said(study) == (
        f"failed at the stage compose. Its fallback atomic-cloud-init stands in: its tree holds {tree:.1f} MB; Python "
        "is present; its cost is not known: no run has figures of atomic-min."
    )


def test_a_failed_proof_of_life_is_a_failure_whatever_the_status() -> None:
    bad = factory.variant_result(FAILED)
    boot = bad.boots[0].model_copy(update={"checks": (Check(name="system is running", passed=False),)})
    study = study_with(proven(SPARE), bad.model_copy(update={"boots": (boot,)}))
    assert "Its fallback atomic-cloud-init stands in" in said(study)
    assert "failed its proof of life" in fallback_tables.section(study)._repr_html_()
    sound = study_with(proven(SPARE), proven(FAILED))
    assert fallbacks.fallback_outcomes(sound) == ()
    assert fallback_tables.section(sound)._repr_html_() == ""


@pytest.mark.parametrize(
    ("others", "given", "text", "stands_in"),
    [
        ((failed(SPARE, "image", "no"),), {FAILED: SPARE}, "atomic-cloud-init also failed: no fallback", None),
        ((), {FAILED: SPARE}, "atomic-cloud-init was not run: no fallback stands in", None),
        ((failed(SPARE, "image", "no"),), {FAILED: SPARE, SPARE: "cloud-docker"},
         "fallback atomic-cloud-init also failed; cloud-docker stands in: ", "cloud-docker"),
    ],
)  # fmt: skip
def test_a_fallback_may_fail_too(
    others: tuple[VariantResult, ...], given: dict[str, str], text: str, stands_in: str | None
) -> None:
    study = study_with(*others, failed(FAILED), fallbacks=given)
    assert text in said(study)
    found = fallbacks.fallback_outcomes(study)[-1]
    assert (found.stand_in.variant if found.stand_in else None) == stands_in


def test_a_step_that_failed_leads_to_what_stands_in(at_boot: StudyResult) -> None:
    costs = decisions.decision_costs(at_boot, decisions.TREE)
    assert [cost.label for cost in costs] == ["baseline", "ostree", "another agent (failed: fallback)"]
    assert costs[2].variant == "atomic-cloud-init, in place of atomic-min"
    assert (costs[2].after, costs[2].change) == (at_boot.variants[1].tree_bytes, 0)
    assert decisions.criteria_of(at_boot) == (decisions.TREE, decisions.IMAGE, decisions.BOOT)
    html = waterfall.section(at_boot)._repr_html_()
    assert "Waterfall from cloud-docker to atomic-cloud-init, in place of atomic-min: the steps add up" in html
    assert "leads to the fallback that stands in" in html


def test_with_nothing_to_stand_in_the_step_stays_as_it_was(at_boot: StudyResult) -> None:
    alone = at_boot.model_copy(update={"fallbacks": {FAILED: "unknown"}})
    costs = decisions.decision_costs(alone, decisions.TREE)
    assert (costs[2].label, costs[2].variant) == ("another agent", FAILED)
    assert costs[2].after == at_boot.variants[2].tree_bytes


def test_cells_that_failed_and_stand_in_are_shown_with_the_variants(at_boot: StudyResult) -> None:
    cells = tuple(FactorCell(variant=name, levels={}) for name in (SPARE, FAILED, "cloud-docker"))
    kept = factor_effects.without_cells(at_boot.model_copy(update={"cells": cells}))
    assert [result.variant for result in kept.variants] == ["cloud-docker", SPARE, FAILED]
    unneeded = at_boot.model_copy(update={"cells": cells, "fallbacks": {}})
    assert [result.variant for result in factor_effects.without_cells(unneeded).variants] == ["cloud-docker"]


def test_which_fallbacks_are_still_to_be_run() -> None:
    results = [failed(FAILED), proven("cloud-docker")]
    assert fallbacks.fallbacks_to_run({FAILED: SPARE, "cloud-docker": SPARE}, results) == {FAILED: SPARE}
    assert fallbacks.fallbacks_to_run({FAILED: SPARE}, [*results, proven(SPARE)]) == {}
