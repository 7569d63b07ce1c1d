"""A guest is updated to a version 2 whose kernel panics, and goes back to version 1 by itself."""

import json
from pathlib import Path

import pytest

from atomic_lib.guest.update.return_faults import FaultOutcome
from atomic_lib.pipeline.update.variant_return import open_returns, outcomes_of
from atomic_lib.results.analysis.denial_reasons import unexplained
from tests.integration.test_build_and_boot import papermill

pytestmark = pytest.mark.integration

VARIANT, FAULT = "atomic-return", "kernel-panic"


@pytest.fixture(scope="module")
def outcome() -> FaultOutcome:
    (outcome,) = outcomes_of(open_returns(VARIANT, FAULT))
    print(outcome.guest.model_dump_json(indent=1))
    return outcome


def test_version_1_is_back_after_two_boots_of_version_2(outcome: FaultOutcome) -> None:
    assert outcome.guest.entries == (0, 0, 1)
    assert outcome.guest.state.commit == outcome.before
    assert outcome.guest.seconds <= outcome.guest.limit_seconds
    assert outcome.problems == ()


def test_both_boots_of_version_2_panicked_and_version_1_was_proven_again(outcome: FaultOutcome) -> None:
    said = "\n".join(outcome.guest.said)
    assert said.count("Kernel panic - not syncing") == 2
    assert "this deployment, which was fallen back to, becomes the default" in said
    assert said.endswith("this deployment stays: all checks passed")


def test_it_is_alive_and_selinux_denied_nothing_without_a_reason(outcome: FaultOutcome) -> None:
    boot = outcome.guest.boot
    assert boot.failed_units == ()
    assert [check.name for check in boot.checks if not check.passed] == []
    assert len(boot.checks) > 3
    assert boot.denials is not None
    assert unexplained(boot.denials) == ()


def test_the_notebook_shows_it(outcome: FaultOutcome, tmp_path: Path) -> None:
    papermill("automatic-return.ipynb", tmp_path / "return.ipynb", "-p", "variant", VARIANT, "-p", "faults", FAULT)
    outputs = [cell.get("outputs", []) for cell in json.loads((tmp_path / "return.ipynb").read_text())["cells"]]
    shown = "".join("".join(output.get("data", {}).get("text/html", "")) for group in outputs for output in group)
    assert "✓ version 1 runs, proven" in shown
    assert "✗" not in shown
    assert "All guests with a fault in version 2 went back to version 1: 1 guest." in shown
