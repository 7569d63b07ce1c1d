"""What ./workbook power-cuts hands to its notebook, and when its instrument is proven."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.cli import main
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.measure.power_cuts.booted_states import BootedState, BootedStateRequest, chosen_to_boot
from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates
from atomic_lib.measure.power_cuts.repair import Repair
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.pages.notebook_page import NotebookPage
from atomic_lib.pipeline.update import power_cuts_run, variant_power_cuts, variant_update
from atomic_lib.pipeline.update.variant_power_cuts import PowerCuts, open_power_cuts, require_proof
from tests.contexts import own_context
from tests.measure.power_cuts.states import LOST, MIXED, WHOLE_1, WHOLE_2, WORN, states_of

UPGRADE = states_of("none", WHOLE_1, WHOLE_1, LOST, WHOLE_2)
WORSE = (states_of("no-fsync", WORN, WORN, WHOLE_2), states_of("no-sync", WHOLE_1, LOST, LOST))


@pytest.fixture
def no_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variant_update, "open_build", lambda variant: Build(variant, own_context(tmp_path)))
    monkeypatch.setattr(variant_power_cuts, "open_build", lambda variant: Build(variant, own_context(tmp_path)))


@pytest.fixture
def published(no_builds: None, monkeypatch: pytest.MonkeyPatch) -> list[tuple[NotebookPage, Mapping[str, object]]]:
    """The pages that would be made."""
    pages: list[tuple[NotebookPage, Mapping[str, object]]] = []

    def publish(page: NotebookPage, parameters: Mapping[str, object], _: Path) -> int:
        pages.append((page, parameters))
        return 0

    monkeypatch.setattr(power_cuts_run, "publish_notebook", publish)
    return pages


def test_the_notebook_gets_the_variant_and_the_numbers(
    published: list[tuple[NotebookPage, Mapping[str, object]]],
) -> None:
    assert main(["power-cuts"]) == 0
    words = ["--variant", "atomic", "--states", "30", "--boots", "0", "--packages", ""]
    assert main(["power-cuts", *words]) == 0
    assert [parameters for _, parameters in published] == [
        {"variant": "atomic-min", "states": 1000, "boots": 2, "packages": "cloud-docker"},
        {"variant": "atomic", "states": 30, "boots": 0, "packages": ""},
    ]
    assert published[0][0].notebook.is_file()


def test_a_traditional_variant_makes_no_page(
    published: list[tuple[NotebookPage, Mapping[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["power-cuts", "--variant", "cloud-docker"]) == 1
    assert "only the commit of a treefile" in capsys.readouterr().err
    assert main(["power-cuts", "--packages", "atomic-dnf"]) == 1
    assert "atomic-dnf: dnf updates a traditional variant only" in capsys.readouterr().err
    assert published == []


@pytest.mark.usefixtures("no_builds")
def test_packages_that_a_cut_does_not_damage_prove_nothing() -> None:
    whole = states_of("dnf", WHOLE_1, WHOLE_1, WHOLE_1, WHOLE_2)
    mixed = states_of("dnf", WHOLE_1, MIXED, MIXED, WHOLE_2)
    assert "2 of 4 (dnf)" in require_proof(cuts_with(UPGRADE, (*WORSE, mixed))).text
    with pytest.raises(WorkbookError, match="dnf: no more states are damaged than without it"):
        require_proof(cuts_with(UPGRADE, (*WORSE, whole)))


@pytest.mark.usefixtures("no_builds")
def test_numbers_that_are_not_possible_are_refused() -> None:
    with pytest.raises(WorkbookError, match="states: 0 is not accepted: must be a whole number of at least 1"):
        open_power_cuts("atomic-min", 0, 0)
    with pytest.raises(WorkbookError, match="boots: -1 is not accepted: must be a whole number of at least 0"):
        open_power_cuts("atomic-min", 1, -1)


def cuts_with(
    upgrade: PowerCutStates, controls: tuple[PowerCutStates, ...], booted: tuple[BootedState, ...] = ()
) -> PowerCuts:
    cuts = open_power_cuts("atomic-min", 10, 0)
    cuts.__dict__.update({"upgrade": upgrade, "controls": controls, "booted": booted})
    cuts.update.__dict__["versions"] = UpdateVersions("atomic-min", *[None] * 2)  # type: ignore[arg-type]
    return cuts


@pytest.mark.usefixtures("no_builds")
def test_the_verdict_counts_what_does_not_boot() -> None:
    assert require_proof(cuts_with(UPGRADE, WORSE)).text == (
        "atomic-min: of 4 states that a power cut during the upgrade can leave, 1 do not boot, and 0 boot with "
        "something that is not whole. In the controls, 2 of 3 (no-fsync) and 2 of 3 (no-sync) are damaged."
    )


@pytest.mark.usefixtures("no_builds")
def test_a_control_that_is_no_worse_proves_nothing() -> None:
    same = states_of("no-sync", WHOLE_1, WHOLE_1, LOST, WHOLE_2)
    with pytest.raises(WorkbookError, match="no-sync: no more states are damaged than without it"):
        require_proof(cuts_with(UPGRADE, (WORSE[0], same)))


@pytest.mark.usefixtures("no_builds")
@pytest.mark.parametrize(
    ("repair", "said"),
    [
        (Repair(request=7, repaired=True, said="", other_blocks=2), "after write 7: e2fsck replays 2 blocks"),
        (Repair(request=7, repaired=True, said="", other_blocks=None), "none: no replay could be compared with"),
        (
            Repair(request=7, repaired=False, said="bad", other_blocks=0),
            "after write 7: e2fsck does not repair it: bad",
        ),
    ],
)
def test_a_repair_that_is_not_as_it_should_be_is_an_error(repair: Repair, said: str) -> None:
    with pytest.raises(WorkbookError, match=said):
        require_proof(cuts_with(UPGRADE.model_copy(update={"repairs": (repair,)}), WORSE))


@pytest.mark.usefixtures("no_builds")
def test_a_machine_that_did_something_else_is_an_error() -> None:
    booted = BootedState(
        step="deploy",
        kind="at a flush",
        request=3,
        kept=0,
        expected="version 2",
        proof="default target",
        found="version 1",
        said="",
    )
    with pytest.raises(WorkbookError, match="after write 3, at a flush: version 1, not version 2"):
        require_proof(cuts_with(UPGRADE, WORSE, (booted,)))


def test_the_states_to_boot_are_of_each_outcome_the_unbootable_first() -> None:
    states = states_of("none", *[WHOLE_1] * 20, LOST, LOST, *[WHOLE_2] * 20)
    outcomes = [states.cuts[number].verdict.outcome for number in chosen_to_boot(states, 3)]
    assert outcomes == ["unbootable", "version 1", "version 2"]
    assert len({*chosen_to_boot(states, 40)}) == 40
    assert {*chosen_to_boot(states, 100)} == {*range(42)}
    kinds = {(states.cuts[number].step, states.cuts[number].kind) for number in chosen_to_boot(states, 6)}
    assert len(kinds) == 4
    assert chosen_to_boot(states, 0) == []


@pytest.mark.usefixtures("no_builds")
def test_one_state_of_each_version_passes_a_proof_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[BootedStateRequest] = []

    def boot(request: BootedStateRequest, _: object) -> Any:
        asked.append(request)
        return request.cut.verdict.outcome

    upgrade = states_of("none", *[WHOLE_1] * 9, LOST, *[WHOLE_2] * 10)
    cuts = replace(cuts_with(upgrade, WORSE), boots=7)
    cuts.__dict__.update({"upgrade": upgrade})
    cuts.update.__dict__["versions"] = UpdateVersions("atomic-min", *[None] * 2)  # type: ignore[arg-type]
    cuts.update.before.__dict__["recipe"] = SimpleNamespace(selinux="enforcing")
    monkeypatch.setattr(variant_power_cuts, "boot_state", boot)
    monkeypatch.setattr(PowerCuts, "request", lambda *_: None)
    assert Counter(map(str, cuts.booted)) == {"unbootable": 1, "version 1": 3, "version 2": 3}
    proofs = Counter((one.cut.verdict.outcome, one.proof) for one in asked)
    assert proofs["version 1", "proof of life"] == proofs["version 2", "proof of life"] == 1
    assert proofs["version 1", "default target"] == proofs["version 2", "default target"] == 2
    assert {one.variant.guest_cpus for one in asked} == {1}


def test_an_unbootable_state_is_as_expected_only_without_a_kernel() -> None:
    facts = {
        "step": "deploy",
        "kind": "one alone",
        "request": 1,
        "kept": 1,
        "expected": "unbootable",
        "proof": "default target",
    }
    assert BootedState.model_validate({**facts, "found": "no kernel started"}).as_expected
    assert not BootedState.model_validate({**facts, "found": "no proof of life"}).as_expected
    assert not BootedState.model_validate({**facts, "found": "version 1"}).as_expected
