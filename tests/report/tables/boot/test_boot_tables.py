"""Tables of boots, units and the running guest: warm-ups left out, packages added up, counted apart from wall."""

import re
from collections.abc import Mapping

from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.report.figures import timeline
from atomic_lib.report.tables import comparison_tables, variant_tables
from atomic_lib.report.tables.boot import boot_tables, counted_tables, unit_tables
from atomic_lib.results.analysis.boot_groups import BootGroup, boot_groups, milestone_seconds, most_common_group
from atomic_lib.results.analysis.boot_times import BootTime
from atomic_lib.results.analysis.metrics import guest_metrics, missing_boot_reason
from atomic_lib.results.variant_result import VariantResult
from tests.report import factory
from tests.report.enriched import enriched, enriched_study
from tests.report.factory import plain, study_of

BIOS = BootGroup("bios", "tcg")


def warmed_up(result: VariantResult) -> VariantResult:
    """The variant with a warm-up before its boots that took very long."""
    slow = result.boots[0].model_copy(update={"index": 99, "warm_up": True, "ssh_login_seconds": 500.0})
    return result.model_copy(update={"boots": (slow, *result.boots)})


def test_a_warm_up_is_not_counted() -> None:
    result = warmed_up(factory.variant_result("atomic-min"))
    assert [boot.index for boot in BIOS.boots_of(result)] == [0]
    table = boot_tables.boot_times(study_of(result))
    assert table.header[1] == "atomic-min (BIOS, TCG, n=1)"
    assert "500" not in table._repr_html_()
    only = result.model_copy(update={"boots": result.boots[:1]})
    assert boot_groups([only]) == ()
    assert "warm-up boots only" in boot_tables.boot_times(study_of(only))._repr_html_()


def test_milestones_come_from_their_list_and_else_from_the_older_fields() -> None:
    old = factory.variant_result("atomic-min").boots[0]
    new = enriched(factory.variant_result("atomic-min")).boots[0]
    assert (milestone_seconds(old, "ssh-login"), milestone_seconds(old, "ssh-banner")) == (48.2, None)
    assert milestone_seconds(new, "ssh-banner") == 47.1


def test_what_a_package_costs_at_boot_is_a_row() -> None:
    study = enriched_study(study_of(factory.variant_result("cloud-docker")))
    table = unit_tables.packages_at_boot(study)
    owned = [unit for unit in study.variants[0].boots[0].units if unit.package == "cloud-init"]
    record = next(record for record in table.records if record["package"] == "cloud-init")
    assert record["unit_seconds"] == sum(unit.seconds for unit in owned) > 0
    row = next(row for row in table.rows if row[0].text == "cloud-init")
    assert row[1].note == f"{len(owned)} unit"
    assert "not wall-clock times" in table._repr_html_()


def test_without_owners_of_units_nothing_is_grouped() -> None:
    table = unit_tables.packages_at_boot(study_of(factory.variant_result("cloud-docker")))
    assert table.rows == ()
    assert "Which package a unit belongs to was not measured." in table._repr_html_()


def test_counted_seconds_are_named_as_such_and_never_beside_wall_seconds() -> None:
    study = enriched_study(study_of(factory.variant_result("cloud-docker"), factory.variant_result("atomic-min")))
    html = plain(counted_tables.counted(study)._repr_html_())
    figures = re.findall(r"[\d.]+ s\b", html)
    assert figures == []
    assert "counted s" in html
    assert counted_tables.counted(study_of(factory.variant_result("atomic-min")))._repr_html_() == ""


def test_what_was_not_measured_in_the_guest_is_not_zero() -> None:
    table = boot_tables.running(study_of(factory.variant_result("atomic-min"))).parts[0]
    html = table._repr_html_()
    assert html.count("not measured") == 4
    assert "98" in html


def test_sockets_and_set_uid_files_are_told_by_variant() -> None:
    study = enriched_study(study_of(factory.variant_result("cloud-docker"), factory.failed_result()))
    html = boot_tables.running(study)._repr_html_()
    assert "tcp 0.0.0.0:22 sshd" in html
    assert "/usr/bin/mount" in html


def test_the_usual_kind_of_boot_is_that_of_most_variants() -> None:
    assert (
        most_common_group([factory.variant_result("atomic-min", uefi=1), factory.variant_result("cloud-docker")])
        == BIOS
    )
    assert most_common_group([factory.failed_result()]) is None


def with_boots(result: VariantResult, *changes: Mapping[str, object]) -> VariantResult:
    """The variant with its first boot once for each of ``changes``."""
    first = result.boots[0]
    return result.model_copy(update={"boots": tuple(first.model_copy(update=change) for change in changes)})


def test_a_boot_that_failed_its_proof_of_life_is_in_no_median() -> None:
    dead = {"checks": (Check(name="docker run prints", passed=False),), "ssh_login_seconds": 500.0}
    result = with_boots(factory.variant_result("atomic-min"), {}, dead)
    assert BootTime(BIOS, "ssh-login").samples(result) == (48.2,)
    words = "1 boot failed its proof of life and is in no median"
    for shown in (
        boot_tables.boot_times(study_of(result)),
        comparison_tables.comparison(study_of(result)),
        variant_tables.boots_table(result),
    ):
        assert words in shown._repr_html_()
    only = with_boots(result, dead)
    assert missing_boot_reason(only) == missing_boot_reason(only, BIOS) == "no boot passed its proof of life"
    assert "No boot is in a median." in comparison_tables.comparison(study_of(only))._repr_html_()


def test_what_a_guest_runs_is_told_of_one_kind_of_boot() -> None:
    bios, uefi = {"memory_used_bytes": 100_000_000}, {"firmware": "uefi", "memory_used_bytes": 300_000_000}
    result = with_boots(factory.variant_result("atomic-min"), bios, uefi)
    memory = guest_metrics([result])[0]
    assert memory.title == "memory in use after boot (BIOS, TCG)"
    assert memory.value(result) == 100_000_000
    other = with_boots(factory.variant_result("cloud-docker"), uefi)
    assert guest_metrics([result, with_boots(result, bios), other])[0].reason(other) == "not booted by BIOS"


def test_ports_that_the_kernel_chose_are_equal() -> None:
    def listening(variant: str, port: int) -> VariantResult:
        udp = Listener(protocol="udp", address=f"[::]:{port}", program="agent")
        return with_boots(factory.variant_result(variant), {"listeners": (udp,)})

    html = boot_tables.running(study_of(listening("cloud-docker", 41234), listening("atomic-min", 50321)))._repr_html_()
    assert "udp [::]:* agent" in html
    assert "41234" not in html
    assert "udp [::]:32767 agent" in boot_tables.running(study_of(listening("cloud-docker", 32767)))._repr_html_()


def test_a_unit_that_not_every_boot_has_says_in_how_many_it_was() -> None:
    made = factory.variant_result("atomic-min")
    some = with_boots(made, {}, {"units": made.boots[0].units[1:]})
    notes = {row[0].text: row[0].note for row in unit_tables.units_table(some).rows}
    assert notes["docker.service"] == "in 1 of 2 boots"
    assert notes["containerd.service"] == ""


def test_the_time_line_tells_how_many_boots_of_its_kind_the_tables_have() -> None:
    result = factory.variant_result("atomic-min", boots=3, uefi=1)
    assert "the tables have all 3 boots." in timeline.figure_time_line(result).how
