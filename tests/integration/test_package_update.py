"""dnf takes a guest of cloud-docker from version 1 to version 2 over HTTP, and undoes it: one guest, three boots.

It takes ten minutes of processor time, and so is left out of ``./workbook test``, unlike the same by ostree;
``./workbook run update`` makes the same guest, and fails if it is not as it must be.
"""

import pytest

from atomic_lib.compose.update.rpm_prediction import new_packages
from atomic_lib.guest.update.update_evidence import GuestUpdate, etc_outcomes
from atomic_lib.pipeline.update.any_update import open_any_update, require_as_predicted
from atomic_lib.pipeline.update.package_update import PackageUpdate
from atomic_lib.report.tables.update import update_tables
from atomic_lib.results.analysis.denial_reasons import unexplained

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.fixture(scope="module")
def update() -> PackageUpdate:
    opened = open_any_update("cloud-docker", "package config")
    assert isinstance(opened, PackageUpdate)
    return opened


@pytest.fixture(scope="module")
def guest(update: PackageUpdate) -> GuestUpdate:
    return update.guest


def test_version_2_has_packages_more_and_a_newer_one(update: PackageUpdate) -> None:
    new = new_packages(update.versions.before, update.versions.after)
    assert [one.name for one in new] == ["filesystem", "liblsof0", "lsof"]
    known = {one.name: one for one in update.versions.before.packages}
    assert "lsof" not in known
    assert (new[0].version, new[0].release) == (known["filesystem"].version, "1")
    assert known["filesystem"].release == "0"


def test_the_locks_predict_the_download_to_the_byte(update: PackageUpdate) -> None:
    for way in update.ways:
        print(way)
        assert way.exact, way.name
    forth = next(way for way in update.ways if way.name == "RPM files")
    assert forth.guest is not None
    assert forth.from_locks_bytes == forth.guest.bytes > 200_000


def test_only_three_steps_download_something(guest: GuestUpdate) -> None:
    print(guest.steps)
    assert [step.name for step in guest.steps if step.download.requests] == ["check", "download", "rollback"]


def test_the_packages_are_those_of_the_locks_at_each_boot(update: PackageUpdate, guest: GuestUpdate) -> None:
    states = (guest.states[0], guest.deployed, *guest.states[1:])
    assert [state.packages for state in states] == list(update.expected)
    assert [state.kernel for state in states] == list(update.kernels)
    for boot in guest.boots:
        assert boot.failed_units == ()
        assert [check.name for check in boot.checks if not check.passed] == []


def test_selinux_denies_nothing_new_without_a_reason(guest: GuestUpdate) -> None:
    found = [None if boot.denials is None else [one.name for one in unexplained(boot.denials)] for boot in guest.boots]
    # from its second boot on, cloud-init's generator is denied the link to the instance; the boot succeeds all the same
    assert found == [[], ["instance"], ["instance"]]


def test_rpm_keeps_what_the_administrator_changed_and_puts_the_new_file_beside_it(guest: GuestUpdate) -> None:
    outcomes = {one.name: one for one in etc_outcomes(guest)}
    found = {name: (outcomes[name].administrator, outcomes[name].version_2, outcomes[name].kept) for name in outcomes}
    print(found, [state.left for state in guest.states])
    assert found["issue"] == ("changed", "changed", "the administrator's")
    assert found["issue.net"] == ("", "changed", "version 2's")
    assert found["host.conf"] == ("changed", "", "the administrator's")
    assert found["rpc"] == ("removed", "", "the administrator's")
    assert guest.deployed.left == ("/etc/issue.rpmnew",)


def test_each_step_is_priced(guest: GuestUpdate) -> None:
    for step in guest.steps:
        if step.name in ("reboot", "reboot back"):
            assert step.docker_seconds is not None
            assert step.docker_seconds >= step.seconds
        else:
            assert step.written_bytes is not None
            assert step.processor_seconds is not None
    install = next(step for step in guest.steps if step.name == "deploy")
    assert (install.written_bytes or 0) > 1_000_000
    assert (install.processor_seconds or 0) > 0.1


def test_the_verdict_and_the_tables_show_it(update: PackageUpdate, guest: GuestUpdate) -> None:
    assert "as predicted from the two locks to the byte" in require_as_predicted(update).text
    page = update_tables.downloads_table(update.ways)._repr_html_()
    assert page.count("✓ to the byte") == 3
    assert "✗" not in page + update_tables.states_table(guest, update.expected, update.kernels)._repr_html_()
