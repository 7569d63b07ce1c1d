"""Each fault against the real agent, in namespaces of its own: end state, what it says, requests, time."""

import shutil
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from atomic_lib.base import command
from atomic_lib.guest.faults.agents import min_cloud_agent
from atomic_lib.guest.faults.catalogue import FAULTS, fault_named
from atomic_lib.guest.faults.fault import Fault
from atomic_lib.guest.faults.matrix import NAMESPACES, Result, run_fault
from atomic_lib.guest.faults.outcome import judge_all

WORKERS = 12  # so that all faults take little longer than the longest ones, the power cuts


def namespaces_are_allowed() -> bool:
    if not (shutil.which("bwrap") and shutil.which("curl")):
        return False
    try:
        command.run([*NAMESPACES, "true"], timeout_seconds=10)
    except command.CommandError:
        return False
    return True


pytestmark = pytest.mark.skipif(
    not namespaces_are_allowed(), reason="needs bubblewrap, curl and the right to make a network namespace"
)


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> dict[str, Future[Result]]:
    """All results that the selected tests ask for, on their way side by side: most of a fault is waiting."""
    # Those that take longest first.
    wanted = {item.callspec.params["fault"].name: item for item in request.session.items if hasattr(item, "callspec")
              and isinstance(item.callspec.params.get("fault"), Fault)}  # fmt: skip
    faults = sorted((fault_named(name) for name in wanted), key=lambda fault: (not fault.cut, fault.limit_seconds))
    with ThreadPoolExecutor(WORKERS) as pool:
        return {fault.name: pool.submit(run_fault, min_cloud_agent(), fault) for fault in faults}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_min_cloud_agent_survives(fault: Fault, results: dict[str, Future[Result]]) -> None:
    states = results[fault.name].result().states
    outcome, why = judge_all(fault, states)
    assert outcome == "survived", why
    expected = fault.expected
    for state in states:
        assert not state.keys or state.modes == ("0o40700", "0o100600")
        for boot in state.boots:
            assert len(boot.requests) <= expected.requests
            assert boot.seconds <= expected.seconds
        if expected.says and not fault.cut:
            told = state.boots[0].said.splitlines()
            assert len([line for line in told if expected.says in line]) == 1, told
            assert set(state.boots[0].statuses) == {0, 1}


def test_no_agent_sees_the_name_of_this_machine() -> None:
    assert command.run([*NAMESPACES, "uname", "-n"], timeout_seconds=10).stdout == "localhost\n"


def test_there_are_enough_faults_and_each_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.cut], ids=lambda fault: fault.name)
def test_a_cut_is_made_at_every_step(fault: Fault, results: dict[str, Future[Result]]) -> None:
    *cuts, whole = results[fault.name].result().states
    assert len(cuts) > 12
    assert {"curl", "mkdir", "sync", "mv", "chmod"} <= {state.cut.split()[-1] for state in cuts}
    assert whole.cut == ""
    # One window is left, and documented: the mark is on the disk, and the script not begun.
    assert sum(not state.runs for state in cuts) == (fault.cut == "after")


@pytest.mark.parametrize("fault", [fault_named("script fails")], ids=lambda fault: fault.name)
def test_a_script_that_failed_shows_its_status(fault: Fault, results: dict[str, Future[Result]]) -> None:
    assert results[fault.name].result().states[0].boots[0].statuses == (0, 7)
