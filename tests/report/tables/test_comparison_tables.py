"""Tables of a study and of a variant: right deltas, honest gaps, sums that are equal."""

from atomic_lib.report.elements.blocks import Stack
from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables import comparison_tables, variant_tables
from atomic_lib.report.tables.boot import boot_tables, unit_tables
from atomic_lib.report.tables.build_contents import (
    footprint_tables,
    package_change_tables,
    package_tables,
)
from atomic_lib.results.analysis.boot_groups import BootGroup, boot_groups, median_of
from atomic_lib.results.analysis.package_changes import PackageChanges, package_changes
from atomic_lib.results.study_result import StudyResult
from tests.report import factory
from tests.report.factory import plain, study_of


def row_of(table: Table, title: str) -> tuple[tuple[str, str], ...]:
    """Text and note of the cells of one row, without the heading."""
    row = next(row for row in table.rows if row[0].text == title)
    return tuple((plain(cell.text), plain(cell.note)) for cell in row[1:])


def test_the_comparison_has_figures_deltas_and_reasons(study: StudyResult) -> None:
    table = comparison_tables.comparison(study)
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
        ("48.2 s", "n = 1, -25.8 s (-35 %): no difference shown"),
        ("—", "failed: compose"),
        ("—", "boots still to be made"),
    )
    assert row_of(table, "to ssh login (UEFI, TCG)")[0] == ("—", "not booted by UEFI")
    assert row_of(table, "files of Python")[2] == ("0", "-1,116 (-100 %)")


def test_the_comparison_as_data_has_no_invented_figures(study: StudyResult) -> None:
    frame = comparison_tables.comparison(study).frame.set_index(["figure", "variant"])
    assert frame.loc[("package_count", "atomic-min"), "delta"] == 193 - 263
    failed = frame.xs("atomic-broken", level="variant")
    assert failed["value"].isna().all()
    assert failed["delta"].isna().all()


def test_without_figures_of_the_baseline_nothing_is_compared() -> None:
    broken = factory.failed_result().model_copy(update={"variant": "cloud-docker"})
    study = study_of(broken, factory.variant_result("atomic-min"))
    table = comparison_tables.comparison(study)
    assert row_of(table, "tree")[1][1] == ""
    assert "The baseline cloud-docker has no figures" in table._repr_html_()
    assert row_of(first_table(package_change_tables.changes(study)), "whole tree")[0][0] == "—"


def test_checks_tell_passed_failed_and_not_run(study: StudyResult) -> None:
    table = comparison_tables.checks(study)
    docker = row_of(table, "docker run prints")
    assert docker[:3] == (("✓ 1 of 1", ""), ("✗ 0 of 1", "hello <from> the guest"), ("✓ 2 of 2", ""))
    assert docker[3:] == (("—", "failed: compose"), ("—", "boots still to be made"))
    assert row_of(table, "no failed unit")[1] == ("✗ failed", "motd-news.service")
    assert [text for text, _ in row_of(table, "files of package manager")] == ["481", "none", "none", "—", "—"]
    assert row_of(comparison_tables.comparison(study), "status")[1] == ("✓ ok", "1 check failed")


def test_the_footprint_adds_up_to_every_tree(study: StudyResult) -> None:
    table = footprint_tables.footprint(study)
    sums = table.frame.groupby("variant")["bytes"].sum()
    for result in study.variants:
        if result.tree_bytes is not None:
            assert sums[result.variant] == result.tree_bytes
    whole, tree = row_of(table, "whole tree"), row_of(comparison_tables.comparison(study), "tree")
    assert whole[:3] == tree[:3]
    assert row_of(table, "Python")[2][0] == "0"
    assert row_of(table, "Python")[3] == ("—", "failed: compose")


def first_table(stack: Stack) -> Table:
    """The overview of the changes."""
    assert isinstance(stack.parts[0], Table)
    return stack.parts[0]


def test_packages_removed_and_added_add_up_to_the_difference_of_the_trees(study: StudyResult) -> None:
    base, atomic = study.variants[0], study.variants[2]
    found = package_changes(base, atomic)
    assert found is not None
    assert found.total_bytes == (atomic.tree_bytes or 0) - (base.tree_bytes or 0)
    assert {"dnf", "python3", "cloud-init"} <= {package.name for package in found.removed}
    assert {package.name for package in found.added} >= {"ostree", "min-cloud-agent"}
    assert "ostree" not in {package.name for package in found.removed}
    record = first_table(package_change_tables.changes(study)).frame.set_index("variant").loc["atomic-min"]
    assert record["removed"] == 79
    assert record["total_bytes"] == found.total_bytes


def test_the_baseline_against_itself_changes_nothing() -> None:
    base = factory.variant_result("cloud-docker")
    found = package_changes(base, base)
    assert found == PackageChanges((), (), 0, 0, 0)


def test_two_packages_of_one_name_count_together() -> None:
    base = factory.variant_result("cloud-docker")
    kernel = base.packages[0]
    twice = base.model_copy(
        update={"packages": (*base.packages, kernel), "tree_bytes": (base.tree_bytes or 0) + kernel.bytes}
    )
    found = package_changes(base, twice)
    assert found is not None
    assert (found.resized, found.resized_bytes, found.total_bytes) == (1, kernel.bytes, kernel.bytes)


def test_boot_times_are_medians_and_tell_n() -> None:
    study = study_of(factory.variant_result("cloud-docker", boots=3), factory.variant_result("atomic-min"))
    table = boot_tables.boot_times(study)
    assert table.header == ("", "cloud-docker (BIOS, TCG, n=3)", "atomic-min (BIOS, TCG, n=1)")
    assert row_of(table, "ssh login") == (("77.0 s", "74.0 to 80.0, n = 3"), ("48.2 s", "n = 1"))
    assert row_of(table, "phase: initrd")[0][0] == "14.8 s"
    assert "Medians of 1 to 3 boots." in comparison_tables.comparison(study)._repr_html_()


def test_kvm_and_tcg_are_never_mixed() -> None:
    tcg = factory.variant_result("atomic-min")
    kvm = tcg.boots[0].model_copy(update={"accelerator": "kvm", "ssh_login_seconds": 5.0})
    study = study_of(tcg.model_copy(update={"boots": (*tcg.boots, kvm)}))
    assert boot_groups(study.variants) == (BootGroup("bios", "kvm"), BootGroup("bios", "tcg"))
    table = comparison_tables.comparison(study)
    assert row_of(table, "to ssh login (BIOS, KVM)") == (("5.0 s", "n = 1"),)
    assert row_of(table, "to ssh login (BIOS, TCG)") == (("48.2 s", "n = 1"),)


def test_a_boot_that_never_answered_is_not_reached() -> None:
    result = factory.variant_result("atomic-min")
    silent = result.boots[0].model_copy(update={"ssh_login_seconds": None, "docker_ready_seconds": None})
    study = study_of(result.model_copy(update={"boots": (silent,)}))
    assert row_of(comparison_tables.comparison(study), "to ssh login (BIOS, TCG)") == (("—", "not reached"),)
    assert median_of([None, None]) is None


def test_tables_of_one_variant_hold_its_figures() -> None:
    result = factory.variant_result("atomic-min", boots=2, uefi=1)
    table = package_tables.packages_table(result)
    assert [row[0].text for row in table.rows[:2]] == ["containerd", "docker.io"]
    assert len(table.rows) == len(table.frame) == 193
    assert table.rows[0][-1].text == "1.7.24~ds1-6+deb13u1.x86_64"
    classes = variant_tables.classes_table(result)
    assert classes.frame["bytes"].sum() == result.tree_bytes
    assert row_of(variant_tables.boots_table(result), "ssh login") == (("48.2 s", ""), ("51.2 s", ""), ("48.2 s", ""))
    assert variant_tables.boots_table(result).rows[-1][1].link == "../atomic-min/console-bios-0.log"
    assert "BIOS, TCG, n=2; UEFI, TCG, n=1" in variant_tables.checks_table(result).caption
    assert row_of(unit_tables.units_table(result), "docker.service")[3] == ("16.6 s", "")
    assert dict(row_of(variant_tables.stages_table(result), "content"))["reused"] == ""
    assert ("0" * 40, "") in row_of(variant_tables.provenance_table(result), "git_revision")


def test_stages_tell_made_from_reused_and_add_up_what_was_made(study: StudyResult) -> None:
    table = comparison_tables.stages(study)
    assert row_of(table, "content")[0] == ("142.1 s", "reused")
    assert row_of(table, "installroot")[0] == ("61.4 s", "made")
    assert row_of(table, "commit")[0] == ("—", "no such stage")
    assert row_of(table, "made in this run")[2:4] == (("197.1 s", ""), ("—", "failed: compose"))
