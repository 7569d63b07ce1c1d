"""Power cuts during an upgrade of atomic-min: some hundred states of one recording, and a control that must fail.

Two boots (one for each recording) and one tree (version 2 with another initramfs); the image of version 1 is that of
the default study. The boots wait for Docker as each wall-clock boot does; the states take about a minute.
"""

from collections import Counter

import pytest

from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates, power_cut_states
from atomic_lib.pipeline.update.variant_power_cuts import PowerCuts, open_power_cuts

pytestmark = pytest.mark.integration

STATES = 300


@pytest.fixture(scope="module")
def cuts() -> PowerCuts:
    return open_power_cuts("atomic-min", STATES, 0)


@pytest.fixture(scope="module")
def upgrade(cuts: PowerCuts) -> PowerCutStates:
    return cuts.upgrade


@pytest.fixture(scope="module")
def no_sync(cuts: PowerCuts) -> PowerCutStates:
    return power_cut_states(cuts.request("no-sync"), cuts.update.before.context)


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


def test_a_cut_at_a_flush_leaves_a_whole_version(upgrade: PowerCutStates) -> None:
    at_flush = [cut for cut in upgrade.cuts if cut.kind == "at a flush"]
    assert [cut for cut in at_flush if cut.verdict.damage] == []
    outcomes = [cut.verdict.outcome for cut in at_flush]
    assert outcomes == sorted(outcomes)


def test_what_a_cut_between_flushes_damages_is_the_menu_alone(upgrade: PowerCutStates) -> None:
    print([(cut.kind, cut.request, cut.verdict.damage) for cut in upgrade.damaged])
    assert {damage.part for cut in upgrade.damaged for damage in cut.verdict.damage} <= {"boot"}
    assert all(cut.step == "deploy" for cut in upgrade.damaged)


def test_e2fsck_repairs_each_and_replays_the_journal_as_we_do(upgrade: PowerCutStates) -> None:
    assert len(upgrade.repairs) == 10
    assert [repair for repair in upgrade.repairs if repair.other_blocks or not repair.repaired] == []


def test_a_deployment_without_a_sync_is_seen_to_fail(upgrade: PowerCutStates, no_sync: PowerCutStates) -> None:
    print(dict(no_sync.outcomes), Counter(damage.part for cut in no_sync.damaged for damage in cut.verdict.damage))
    assert len(no_sync.damaged) / len(no_sync.cuts) > len(upgrade.damaged) / len(upgrade.cuts)
    assert any(cut.kind == "at a flush" for cut in no_sync.damaged)
