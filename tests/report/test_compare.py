"""Tables of a study and of a variant: right deltas, honest gaps, sums that are equal."""

import re
from collections.abc import Callable, Iterator

import pytest

from atomic_lib.report import changes, compare, conclusions, figures, tables
from atomic_lib.report.metrics import BootGroup, boot_groups, median_of
from atomic_lib.report.results import StudyResult, VariantResult
from atomic_lib.report.show import Stack, Table
from tests.report import factory
from tests.report.factory import plain, study_of


@pytest.fixture(scope="module")
def study() -> StudyResult:
    """Three variants that were built, one that failed, one that was not booted."""
    return study_of(*factory.all_results())


def row_of(table: Table, title: str) -> tuple[tuple[str, str], ...]:
    """Text and note of the cells of one row, without the heading."""
    row = next(row for row in table.rows if row[0].text == title)
    return tuple((plain(cell.text), plain(cell.note)) for cell in row[1:])


def test_the_comparison_has_figures_deltas_and_reasons(study: StudyResult) -> None:
    table = compare.comparison(study)
    trees = [result.tree_bytes for result in study.variants]
    assert trees[0] is not None
    assert trees[2] is not None
    percent = 100 * (trees[2] - trees[0]) / trees[0]
    tree = row_of(table, "tree")
    assert tree[0] == (f"{trees[0] / 1e6:.1f} MB", "")
    assert tree[2] == (f"{trees[2] / 1e6:.1f} MB", f"-{(trees[0] - trees[2]) / 1e6:.1f} MB (-{-percent:.0f} %)")
    assert tree[3] == ("—", "failed: compose")
    assert row_of(table, "packages")[2] == ("193", "-70 (-27 %)")
    assert row_of(table, "to ssh login (BIOS, TCG)")[2:] == (
        ("48.2 s", "-25.8 s (-35 %)"), ("—", "failed: compose"), ("—", "boots still to be made"),
    )  # fmt: skip
    assert row_of(table, "to ssh login (UEFI, TCG)")[0] == ("—", "not booted by UEFI")
    assert row_of(table, "files of Python")[2] == ("0", "-1,116 (-100 %)")


def test_the_comparison_as_data_has_no_invented_figures(study: StudyResult) -> None:
    frame = compare.comparison(study).frame.set_index(["figure", "variant"])
    assert frame.loc[("package_count", "atomic-min"), "delta"] == 193 - 263
    failed = frame.xs("atomic-broken", level="variant")
    assert failed["value"].isna().all()
    assert failed["delta"].isna().all()


def test_without_figures_of_the_baseline_nothing_is_compared() -> None:
    broken = factory.failed_result().model_copy(update={"variant": "cloud-docker"})
    study = study_of(broken, factory.variant_result("atomic-min"))
    table = compare.comparison(study)
    assert row_of(table, "tree")[1][1] == ""
    assert "The baseline cloud-docker has no figures" in table._repr_html_()
    assert "no figure of the baseline cloud-docker" in conclusions.sentence(study, study.variants[1])
    assert row_of(first_table(changes.changes(study)), "whole tree")[0][0] == "—"


def test_checks_tell_passed_failed_and_not_run(study: StudyResult) -> None:
    table = compare.checks(study)
    docker = row_of(table, "docker run prints")
    assert docker[:3] == (("✓ 1 of 1", ""), ("✗ 0 of 1", "hello <from> the guest"), ("✓ 2 of 2", ""))
    assert docker[3:] == (("—", "failed: compose"), ("—", "boots still to be made"))
    assert row_of(table, "no failed unit")[1] == ("✗ failed", "motd-news.service")
    assert [text for text, _ in row_of(table, "files of package manager")] == ["481", "none", "none", "—", "—"]
    assert row_of(compare.comparison(study), "status")[1] == ("✓ ok", "1 check failed")


def test_the_footprint_adds_up_to_every_tree(study: StudyResult) -> None:
    table = compare.footprint(study)
    sums = table.frame.groupby("variant")["bytes"].sum()
    for result in study.variants:
        if result.tree_bytes is not None:
            assert sums[result.variant] == result.tree_bytes
    whole, tree = row_of(table, "whole tree"), row_of(compare.comparison(study), "tree")
    assert whole[:3] == tree[:3]
    assert row_of(table, "Python")[2][0] == "0"
    assert row_of(table, "Python")[3] == ("—", "failed: compose")


def first_table(stack: Stack) -> Table:
    """The overview of the changes."""
    assert isinstance(stack.parts[0], Table)
    return stack.parts[0]


def test_what_left_and_came_in_adds_up_to_the_difference_of_the_trees(study: StudyResult) -> None:
    base, atomic = study.variants[0], study.variants[2]
    found = changes.changes_between(base, atomic)
    assert found is not None
    assert found.total_bytes == (atomic.tree_bytes or 0) - (base.tree_bytes or 0)
    assert {"dnf", "python3", "cloud-init"} <= {package.name for package in found.left}
    assert {package.name for package in found.came_in} >= {"ostree", "min-cloud-agent"}
    assert "ostree" not in {package.name for package in found.left}
    record = first_table(changes.changes(study)).frame.set_index("variant").loc["atomic-min"]
    assert record["left"] == 79
    assert record["total_bytes"] == found.total_bytes


def test_the_baseline_against_itself_changes_nothing() -> None:
    base = factory.variant_result("cloud-docker")
    found = changes.changes_between(base, base)
    assert found == changes.Changes((), (), 0, 0, 0)


def test_two_packages_of_one_name_count_together() -> None:
    base = factory.variant_result("cloud-docker")
    kernel = base.packages[0]
    twice = base.model_copy(
        update={"packages": (*base.packages, kernel), "tree_bytes": (base.tree_bytes or 0) + kernel.bytes}
    )
    found = changes.changes_between(base, twice)
    assert found is not None
    assert (found.resized, found.resized_bytes, found.total_bytes) == (1, kernel.bytes, kernel.bytes)


def test_boot_times_are_medians_with_their_range() -> None:
    study = study_of(factory.variant_result("cloud-docker", boots=3), factory.variant_result("atomic-min"))
    table = compare.boot_times(study)
    assert row_of(table, "cloud-docker")[4] == ("77.0 s", "74.0 to 80.0")
    assert row_of(table, "atomic-min")[4] == ("48.2 s", "")
    assert table.rows[0][0].note == "BIOS, TCG, n=3"
    assert "Medians of 1 to 3 boots." in table._repr_html_()
    assert "median of 3 boots" in conclusions.sentence(study, study.variants[0])


def test_kvm_and_tcg_are_never_mixed() -> None:
    tcg = factory.variant_result("atomic-min")
    kvm = tcg.boots[0].model_copy(update={"accelerator": "kvm", "ssh_login_seconds": 5.0})
    study = study_of(tcg.model_copy(update={"boots": (*tcg.boots, kvm)}))
    assert boot_groups(study.variants) == (BootGroup("bios", "kvm"), BootGroup("bios", "tcg"))
    table = compare.comparison(study)
    assert row_of(table, "to ssh login (BIOS, KVM)") == (("5.0 s", ""),)
    assert row_of(table, "to ssh login (BIOS, TCG)") == (("48.2 s", ""),)


def test_a_boot_that_never_answered_is_not_reached() -> None:
    result = factory.variant_result("atomic-min")
    silent = result.boots[0].model_copy(update={"ssh_login_seconds": None, "docker_ready_seconds": None})
    study = study_of(result.model_copy(update={"boots": (silent,)}))
    assert row_of(compare.comparison(study), "to ssh login (BIOS, TCG)") == (("—", "not reached"),)
    assert "no ssh login in 1 boot" in conclusions.sentence(study, study.variants[0])
    assert median_of([None, None]) is None


def test_the_conclusions_say_what_the_figures_say_and_no_more(study: StudyResult) -> None:
    text = {result.variant: plain(conclusions.sentence(study, result)) for result in study.variants}
    assert text["cloud-docker"].startswith("baseline: the tree holds 669.4 MB in 263 packages.")
    assert "154.6 MB (23 %) less; the compressed image has 195.6 MB" in text["atomic-min"]
    assert "Files of Python and of package manager in the tree: none." in text["atomic-min"]
    assert text["atomic-min"].count("one boot, no statistics") == 2
    assert "All 10 checks passed." in text["atomic-min"]
    assert "Checks that failed: docker run prints." in text["atomic-cloud-init"]
    assert text["atomic-broken"].startswith("failed at the stage compose: python3 is excluded")
    assert "boots are still to be made" in text["atomic-unbooted"]


def test_a_failure_shows_cause_next_step_log_and_console() -> None:
    booted = factory.variant_result("atomic-min")
    failed = booted.model_copy(update={"status": "failed", "error": factory.failed_result().error})
    html = conclusions.failure(failed, to_run="../")._repr_html_()
    assert "atomic-min failed at the stage compose" in html
    assert "Next step: drop cloud-init" in html
    assert "nothing provides &lt;python3&gt; needed" in html
    assert '<a href="../atomic-min/console-bios-0.log">' in html
    with pytest.raises(ValueError, match="did not fail"):
        conclusions.failure(booted)


def test_tables_of_one_variant_hold_its_figures() -> None:
    result = factory.variant_result("atomic-min", boots=2, uefi=1)
    packages = tables.packages_table(result, top=5)
    assert [row[0].text for row in packages.rows[:2]] == ["containerd", "docker.io"]
    assert len(packages.rows) == 5
    assert len(packages.frame) == 193
    assert packages.rows[0][1].text == "1.7.24~ds1-6+deb13u1.x86_64"
    classes = tables.classes_table(result)
    assert classes.frame["bytes"].sum() == result.tree_bytes
    assert row_of(tables.boots_table(result), "ssh login") == (("48.2 s", ""), ("51.2 s", ""), ("48.2 s", ""))
    assert tables.boots_table(result).rows[-1][1].link == "../atomic-min/console-bios-0.log"
    assert "BIOS, TCG, n=2; UEFI, TCG, n=1" in tables.checks_table(result).caption
    assert row_of(tables.units_table(result), "docker.service")[0] == ("16.6 s", "")
    assert dict(row_of(tables.stages_table(result), "content"))["reused"] == ""
    assert ("0" * 40, "") in row_of(tables.provenance_table(result), "git_revision")


def test_stages_tell_made_from_reused_and_add_up_what_was_made(study: StudyResult) -> None:
    table = compare.stages(study)
    assert row_of(table, "content")[0] == ("142.1 s", "reused")
    assert row_of(table, "installroot")[0] == ("61.4 s", "made")
    assert row_of(table, "commit")[0] == ("—", "no such stage")
    assert row_of(table, "made in this run")[2:4] == (("197.1 s", ""), ("—", "failed: compose"))


def everything(study: StudyResult) -> Iterator[str]:
    """The HTML of every table, figure and text."""
    of_study: tuple[Callable[[StudyResult], object], ...] = (
        compare.heading, compare.comparison, compare.checks, compare.footprint, compare.boot_times, compare.units,
        compare.packages, compare.stages, compare.provenance, changes.changes, conclusions.conclusions,
        conclusions.failures, figures.figure_footprint, figures.figure_boots,
    )  # fmt: skip
    of_variant: tuple[Callable[[VariantResult], object], ...] = (
        tables.summary_table, tables.packages_table, tables.classes_table, tables.boots_table, tables.checks_table,
        tables.units_table, tables.stages_table, tables.provenance_table, figures.figure_classes, figures.figure_boot,
    )  # fmt: skip
    for show in of_study:
        yield show(study)._repr_html_()  # type: ignore[attr-defined]
    for tell in of_variant:
        for result in study.variants:
            yield tell(result)._repr_html_()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "results",
    [factory.all_results(), [factory.failed_result()], [factory.incomplete_result()], []],
    ids=["all", "failed", "incomplete", "none"],
)
def test_nothing_shows_nan_or_none_whatever_is_missing(results: list[VariantResult]) -> None:
    shown = list(everything(study_of(*results)))
    assert len(shown) == 14 + 10 * len(results)
    for html in shown:
        text = re.sub(r"base64,[^\"]*", "", html)
        assert not re.search(r"\b(nan|None|NaN|inf|<NA>)\b", text)
        assert html.count("<table>") == html.count("</table>")
