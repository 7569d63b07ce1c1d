"""Breaches of budgets as lines of a terminal and a page."""

from atomic_lib.report.text.budget_words import breach_alert, breach_words
from atomic_lib.results.build_result import Growth
from atomic_lib.results.study_result import Breach, StudyResult

NBSP = "\N{NO-BREAK SPACE}"


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def test_a_figure_over_its_budget_names_what_grew() -> None:
    causes = (Growth(name="docker", before="26.1", after="28.0", amount=12_400_000), Growth(name="jq", after="1.7",
              amount=300_000), Growth(name="files of no package", amount=1_000))  # fmt: skip
    breach = Breach(
        variant="own", budget="tree_bytes", unit="bytes", value=512e6, limit=500e6, causes=causes, since="r"
    )
    assert plain(breach_words(breach)) == (
        "own: tree: 512.0 MB, +12.0 MB over its budget of 500.0 MB; grown since r: docker 26.1 → 28.0 (+12.4 MB), "
        "jq 1.7 added (+0.3 MB), files of no package (+1.0 kB)"
    )


def test_a_counted_boot_names_its_units() -> None:
    causes = (Growth(name="docker.service", package="docker.io", amount=0.5),)
    breach = Breach(variant="own", budget="counted_busy_seconds", unit="counted", value=10.5, limit=10, causes=causes)
    assert plain(breach_words(breach)).endswith("; largest: docker.service of docker.io (0.50 counted s)")


def test_without_a_run_that_kept_the_budget_the_largest_parts_are_named() -> None:
    causes = (Growth(name="docker", after="28.0", amount=9e6), Growth(name="files of no package", amount=5e6))
    breach = Breach(variant="own", budget="tree_bytes", unit="bytes", value=2e7, limit=1e7, causes=causes)
    assert plain(breach_words(breach)).endswith("; largest: docker 28.0 (9.0 MB), files of no package (5.0 MB)")


def test_what_is_forbidden_is_named_with_its_reason() -> None:
    breach = Breach(variant="own", budget="forbidden_packages", item="python3", detail="cloud-init > python3")
    assert breach_words(breach) == "own: has the forbidden package python3 (cloud-init > python3)"


def test_only_a_run_with_breaches_has_an_alert() -> None:
    study = StudyResult(study="s", title="t", baseline="own", run="r", created="c", variants=())
    assert breach_alert(study) is None
    breach = Breach(variant="own", budget="forbidden_packages", item="<dnf>")
    alert = breach_alert(study.model_copy(update={"breaches": (breach, breach)}))
    assert alert is not None
    assert alert.heading == "2 broken budgets"
    assert "forbidden package &lt;dnf&gt;" in alert._repr_html_()
