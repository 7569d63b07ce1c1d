"""One sentence per variant, as certain as its figures."""

import pytest

from atomic_lib.report.text.in_short import in_short, sentence
from atomic_lib.results.variant_result import Failure, VariantResult
from tests.report import factory
from tests.report.factory import plain, study_of
from tests.report.text.test_conclusions import around, booted, counted


def said(*results: VariantResult) -> str:
    return plain(sentence(study_of(*results), results[-1]))


def test_the_baseline_says_what_it_holds() -> None:
    text = said(factory.variant_result("cloud-docker"))
    assert text.startswith("the baseline, ")
    assert "with Python and package manager" in text


@pytest.mark.parametrize(
    ("seconds", "words"), [(40.0, "has Docker ready faster"), (74.0, "by wall clock, no difference shown")]
)
def test_a_difference_is_told_as_the_statistics_allow(seconds: float, words: str) -> None:
    text = said(booted("cloud-docker", *around(74.0)), booted("atomic-min", *around(seconds)))
    assert "smaller than the baseline" in text
    assert "without Python and package manager" in text
    assert words in text


def test_one_boot_each_shows_nothing() -> None:
    text = said(booted("cloud-docker", 74.0), booted("atomic-min", 40.0))
    assert "no difference shown (one boot each" in text


def test_what_the_clock_does_not_show_is_left_out_where_counted_boots_say_it() -> None:
    base, other = (
        counted(name, busy, agent) for name, busy, agent in (("cloud-docker", 14, 5), ("atomic-min", 9, 0.1))
    )
    text = said(base, other)
    assert "counted s less, mostly in agent.service" in text
    assert "wall clock" not in text


@pytest.mark.parametrize(
    ("share", "words"), [(1.005, "0.5 % larger"), (0.9, "10 % smaller"), (1, "as large"), (1.0001, "about as large")]
)
def test_a_difference_is_rounded_as_in_the_tables(share: float, words: str) -> None:
    base = factory.variant_result("cloud-docker")
    size = int((base.tree_bytes or 0) * share)
    other = base.model_copy(update={"variant": "other", "tree_bytes": size, "classes": (), "packages": ()})
    assert said(base, other).startswith(words)


def test_a_failed_variant_says_where_and_one_without_figures_that() -> None:
    made = factory.variant_result("atomic-min")
    failed = made.model_copy(update={"status": "failed", "error": Failure(stage="compose", message="no")})
    assert said(factory.variant_result("cloud-docker"), failed) == "failed at the stage compose."
    empty = made.model_copy(update={"tree_bytes": None, "classes": ()})
    assert said(factory.variant_result("cloud-docker"), empty) == "nothing was measured."


def test_the_paragraphs_are_folded_below() -> None:
    html = in_short(study_of(booted("cloud-docker", 74.0), booted("atomic-min", 40.0)))._repr_html_()
    assert html.index("<ul") < html.index("<details") < html.rindex("<ul")
