"""Power cuts during an upgrade of atomic-min: some hundred states of one recording.

One boot, with the trees and the image of test_guest_update.py; then the states and ten repairs by e2fsck take about a
minute. The controls would be a boot each: ``./workbook power-cuts`` makes them, and fails if they do not.
"""

from collections import Counter

import pytest

from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates
from atomic_lib.pipeline.update.variant_power_cuts import PowerCuts
from atomic_lib.pipeline.update.variant_update import open_update

pytestmark = pytest.mark.integration

STATES = 300


@pytest.fixture(scope="module")
def upgrade() -> PowerCutStates:
    return PowerCuts(open_update("atomic-min", "package config"), STATES, 0).upgrade


def test_hundreds_of_states_are_checked(upgrade: PowerCutStates) -> None:
    print(len(upgrade.cuts), "states,", round(upgrade.states_a_minute), "a minute,", dict(upgrade.outcomes))
    assert len(upgrade.cuts) >= 200
    kinds = Counter(cut.kind for cut in upgrade.cuts)
    assert kinds["at a flush"] > 50
    assert len(kinds) == 6
    assert upgrade.objects[1] > upgrade.objects[0] > 5000


def test_the_upgrade_begins_with_version_1_and_ends_with_version_2(upgrade: PowerCutStates) -> None:
    first, last = upgrade.cuts[0].verdict, upgrade.cuts[-1].verdict
    assert (first.outcome, first.versions, first.damage) == ("version 1", 1, ())
    assert (last.outcome, last.versions, last.damage) == ("version 2", 2, ())
    assert upgrade.cuts[0].step == "download"
    assert upgrade.cuts[-1].step == "shutdown"


def test_version_2_follows_version_1_and_version_1_does_not_come_back(upgrade: PowerCutStates) -> None:
    at_flush = [cut.verdict.outcome for cut in upgrade.cuts if cut.kind == "at a flush"]
    booted = [outcome for outcome in at_flush if outcome != "unbootable"]
    assert booted == sorted(booted)
    assert len(at_flush) - len(booted) <= 1


def test_all_that_a_cut_damages_is_what_the_boot_loader_reads(upgrade: PowerCutStates) -> None:
    print([(cut.kind, cut.step, cut.request, cut.verdict.damage) for cut in upgrade.damaged])
    assert {damage.part for cut in upgrade.damaged for damage in cut.verdict.damage} <= {"boot"}
    assert len(upgrade.damaged) < len(upgrade.cuts) / 10


def test_e2fsck_repairs_each_and_replays_the_journal_as_we_do(upgrade: PowerCutStates) -> None:
    assert len(upgrade.repairs) == 10
    assert sum(repair.other_blocks is not None for repair in upgrade.repairs) > 5
    assert [repair for repair in upgrade.repairs if repair.other_blocks or not repair.repaired] == []
