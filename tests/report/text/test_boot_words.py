"""Sentences about boots: how many there are, which are in no median, which failed and why."""

import pytest

from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.report.figures.size_figures import figure_boot
from atomic_lib.report.figures.timeline import figure_time_line
from atomic_lib.report.tables import comparison_tables, overview_tables, provisioning_tables, variant_tables
from atomic_lib.report.tables.boot import boot_tables
from atomic_lib.report.text import conclusions
from atomic_lib.report.text.boot_words import boots_words, failed_boot_words
from atomic_lib.report.text.summary import summary
from atomic_lib.results.variant_result import FailedBoot, VariantResult
from tests.report import factory
from tests.report.factory import plain, study_of

DEAD = FailedBoot(firmware="uefi", index=2, reason="proof of life failed (docker run prints).\nand more")
COUNTED = FailedBoot(firmware="counted", index=1, started="2026-01-02T03:04:05+00:00", reason="no milestone seen")


def with_failed(*failed: FailedBoot, boots: int = 3) -> VariantResult:
    return factory.variant_result("atomic-min", boots=boots).model_copy(update={"failed_boots": failed})


def test_failed_boots_are_counted_beside_those_that_passed_with_their_reasons() -> None:
    assert failed_boot_words(with_failed(DEAD)) == (
        "booted 3 times, failed once: UEFI, boot 2: proof of life failed (docker run prints)"
    )
    assert failed_boot_words(with_failed(DEAD, COUNTED, boots=1)) == (
        "booted once, failed twice: UEFI, boot 2: proof of life failed (docker run prints); "
        "counted, boot 1: no milestone seen"
    )
    assert failed_boot_words(with_failed()) == ""


def test_a_boot_that_failed_a_check_is_not_counted_as_booted() -> None:
    result = with_failed(DEAD, boots=2)
    bad = result.boots[0].model_copy(update={"checks": (Check(name="docker run prints", passed=False),)})
    assert failed_boot_words(result.model_copy(update={"boots": (bad, result.boots[1])})).startswith("booted once, ")
    assert failed_boot_words(result.model_copy(update={"boots": ()})).startswith("never booted, failed once: ")


def test_a_warm_up_boot_is_named_as_such() -> None:
    warm_up = DEAD.model_copy(update={"index": 0})
    assert "failed once: UEFI, warm-up boot: " in failed_boot_words(with_failed(warm_up))


@pytest.mark.parametrize("boots", [3, 0])
def test_every_table_of_boots_and_the_conclusions_say_that_one_failed(boots: int) -> None:
    result = with_failed(DEAD, boots=3)
    result = result if boots else result.model_copy(update={"boots": ()})
    words = failed_boot_words(result)
    study = study_of(result)
    assert f"{words[0].upper()}{words[1:]}." in conclusions.sentence(study, result)
    shown = [comparison_tables.comparison(study), variant_tables.boots_table(result), boot_tables.boot_times(study)]
    for table in shown if boots else shown[:2]:
        assert f"atomic-min: {words}." in plain(table._repr_html_())


def test_the_kinds_of_boots_are_told_with_their_numbers() -> None:
    assert boots_words(factory.variant_result("atomic-min", boots=2, uefi=1)) == "BIOS, TCG, n=2; UEFI, TCG, n=1"
    assert boots_words(factory.incomplete_result()) == "boots still to be made"


@pytest.mark.parametrize("alone", [None, True, False])
def test_wherever_times_of_boots_are_shown_it_is_said_that_they_were_not_timed_alone(alone: bool | None) -> None:
    result = factory.variant_result("atomic-min")
    boots = tuple(boot.model_copy(update={"alone": alone}) for boot in result.boots)
    result = result.model_copy(update={"boots": boots, "counted_boots": ()})
    study = study_of(result)
    shown = [
        comparison_tables.comparison(study)._repr_html_(),
        overview_tables.overview(study)._repr_html_(),
        variant_tables.boots_table(result)._repr_html_(),
        boot_tables.boot_times(study)._repr_html_(),
        provisioning_tables.table(study, ())._repr_html_(),
        summary(study, None, "index.html"),
        figure_boot(result)._repr_html_(),
        figure_time_line(result)._repr_html_(),
        boots_words(result),
    ]
    assert [("not timed alone" in plain(text).lower()) for text in shown] == [alone is False] * len(shown)
