"""A guest goes from version 1 of atomic-min to version 2 over HTTP, and back: one upgrade, one rollback."""

import json
from pathlib import Path

import pytest

from atomic_lib.guest.update.update_evidence import GuestUpdate, etc_outcomes
from atomic_lib.pipeline.update.variant_update import VariantUpdate, open_update
from atomic_lib.report.tables.update import study_update_tables
from atomic_lib.results.analysis.denial_reasons import unexplained
from atomic_lib.results.update.update_results import UpdateRound, read_updates, write_rounds
from tests.integration.test_build_and_boot import papermill

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def update() -> VariantUpdate:
    return open_update("atomic-min", "package config")


@pytest.fixture(scope="module")
def guest(update: VariantUpdate) -> GuestUpdate:
    return update.guest


def test_what_it_costs_to_download_is_predicted_to_the_byte(update: VariantUpdate) -> None:
    for one in update.downloads.ways:
        print(one)
        assert one.same_files, one.way
        assert one.measured == one.predicted, one.way


def test_the_locks_alone_estimate_it_within_two_percent(update: VariantUpdate) -> None:
    loose = update.downloads.way("loose objects").measured.bytes
    print(update.estimated_bytes, loose)
    assert abs(update.estimated_bytes - loose) < 0.02 * loose


def test_the_guest_downloads_what_was_predicted_and_nothing_else(update: VariantUpdate, guest: GuestUpdate) -> None:
    steps = {step.name: step.download for step in guest.steps}
    print(guest.steps)
    assert list(steps) == ["check", "download", "deploy", "reboot", "rollback", "reboot back"]
    assert steps["check"] == update.downloads.way("check").predicted
    assert steps["download"] == update.downloads.way("loose objects").predicted
    assert {(steps[name].requests, steps[name].bytes) for name in list(steps)[2:]} == {(0, 0)}


def test_each_boot_is_of_the_version_it_should_be_and_alive(update: VariantUpdate, guest: GuestUpdate) -> None:
    before, after = update.versions.before.commit, update.versions.after.commit
    assert [state.commit for state in guest.states] == [before, after, before]
    assert guest.deployed.commit == before
    assert [state.kernel for state in (guest.states[0], guest.deployed, *guest.states[1:])] == list(update.kernels)
    for boot in guest.boots:
        assert boot.failed_units == ()
        assert [check.name for check in boot.checks if not check.passed] == []
        assert len(boot.checks) > 5


def test_etc_is_merged_three_way(guest: GuestUpdate) -> None:
    outcomes = {one.name: one for one in etc_outcomes(guest)}
    assert [one for one in outcomes.values() if not one.expected] == []
    found = {name: (one.administrator, one.version_2, one.kept) for name, one in outcomes.items()}
    assert found == {
        "update-added": ("", "added", "version 2's"),
        "issue.net": ("", "changed", "version 2's"),
        "motd": ("", "removed", "version 2's"),
        "issue": ("changed", "changed", "the administrator's"),
        "host.conf": ("changed", "", "the administrator's"),
        "administrator-added": ("added", "", "the administrator's"),
        "rpc": ("removed", "", "the administrator's"),
    }


def test_what_must_not_change_does_not(guest: GuestUpdate) -> None:
    for state in (*guest.states, guest.deployed):
        assert state.selinux == "enforcing"
        assert state.usr_read_only
        assert state.var_kept
        assert (state.container_running, state.volume_kept) == (True, True)
        assert state.disk_used_bytes


def test_each_step_is_priced(guest: GuestUpdate) -> None:
    steps = {str(step.name): step for step in guest.steps}
    for name in ("check", "download", "deploy", "rollback"):
        assert steps[name].written_bytes is not None
        assert steps[name].processor_seconds is not None
    assert (steps["download"].written_bytes or 0) > steps["download"].download.bytes
    for name in ("reboot", "reboot back"):
        assert (steps[name].docker_seconds or 0) >= steps[name].seconds


def test_selinux_denies_nothing_without_a_reason(guest: GuestUpdate) -> None:
    for boot in guest.boots:
        assert boot.denials is not None
        assert unexplained(boot.denials) == ()


def test_the_notebook_shows_it_and_leaves_its_figures_for_a_study(guest: GuestUpdate, tmp_path: Path) -> None:
    papermill(
        "update.ipynb", tmp_path / "update.ipynb", "-p", "study", "update", "-p", "output_directory", str(tmp_path)
    )
    write_rounds(tmp_path, (UpdateRound(kind="update", variant="atomic-min"),))
    found = read_updates(tmp_path)
    assert found
    assert [one.guest for one in found.updates] == [guest], "the study's parameters do not boot another guest"
    assert "5 of 5 to the byte" in study_update_tables.compared_table(found)._repr_html_()
    outputs = [cell.get("outputs", []) for cell in json.loads((tmp_path / "update.ipynb").read_text())["cells"]]
    shown = "".join("".join(output.get("data", {}).get("text/html", "")) for group in outputs for output in group)
    assert shown.count("✓ to the byte") == 5
    assert "✗" not in shown
    assert "as predicted to the byte; the guest ran it, and version 1 again after the rollback" in shown
    assert "rsync" in shown
    assert "Power cuts" in shown
