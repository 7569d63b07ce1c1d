"""From a guest's answers to figures and checks: good ones, wrong ones, and real ones cut off anywhere."""

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.model import Agent
from atomic_lib.guest.evidence.guest_queries import Answer, read_answers
from atomic_lib.guest.evidence.proof_of_life import Evidence
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.guest.evidence.unit_times import UnitTime
from atomic_lib.guest.timed_boot import boot_of
from atomic_lib.guest.vm.clock import Clock
from tests.guest.evidence.answers import (
    CHECKS,
    CONTEXT,
    HOST,
    MANAGER,
    REQUEST,
    SECRET,
    UNITS,
    details,
    failed,
    found,
    good_answers,
    phases,
)

DATA = Path(__file__).parent / "data"


def test_findings_of_a_good_boot() -> None:
    evidence = found(good_answers())
    assert evidence.docker_ready_seconds == 19.0
    assert evidence.script_done_seconds == 16.5
    assert evidence.multi_user_seconds == 20.0
    assert evidence.phases == phases(4.0, 2.0, 3.0, 15.0)
    assert evidence.units == (
        UnitTime(
            unit="docker.service", seconds=5.0, started_seconds=14.0, critical=True, cpu_seconds=1.5, memory_bytes=4096
        ),
        UnitTime(unit="min-cloud-agent-user-data.service", seconds=0.75, started_seconds=16.0),
        UnitTime(unit="multi-user.target", seconds=0.0, started_seconds=20.0, critical=True),
    )
    assert (evidence.memory_used_bytes, evidence.memory_total_bytes) == (500 * 1024, 2000 * 1024)
    assert (evidence.process_count, evidence.service_count) == (1, 1)
    assert evidence.listeners == (Listener(protocol="tcp", address="0.0.0.0:22", program="sshd"),)
    assert evidence.setuid_files == ("/usr/bin/mount", "/usr/bin/su")
    assert evidence.kernel_release == "6.12.1"
    assert tuple(check.name for check in evidence.checks) == CHECKS
    assert failed(evidence) == []
    assert details(evidence)[CHECKS[6]] == "all"


def test_the_milestones_are_in_order_of_time() -> None:
    assert [(milestone.name, milestone.seconds) for milestone in found(good_answers()).milestones] == [
        ("kernel", 4.0), ("initrd", 6.0), ("userspace", 9.0), ("provisioned", 16.75), ("docker-ready", 19.0),
        ("multi-user", 20.0), ("ssh-banner", 20.5), ("ssh-login", 23.0), ("container-exited", 39.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "answer", "check", "detail"),
    [
        ("user_data", Answer("cat: no such file", 1), CHECKS[0], "no such file"),
        ("user_data", Answer("ffff 1.0", 0), CHECKS[0], "ffff"),
        ("state", Answer("degraded", 1), CHECKS[1], "degraded"),
        ("state", Answer("", 124), CHECKS[1], "no answer within the time limit"),
        ("container_version", Answer("not found", 127), CHECKS[2], "not found"),
        ("container_run", Answer("hello", 0), CHECKS[3], "hello"),
        ("container_run", Answer(SECRET.token, None), CHECKS[3], SECRET.token),
        ("container_import", Answer("no space", 1), CHECKS[3], "docker import: no space"),
        ("hostname", Answer("localhost", 0), CHECKS[4], "localhost"),
        ("memory", Answer("", 1), CHECKS[6], "missing: memory"),
        ("memory", Answer("MemTotal: 5 kB\nMemAvailable: 6 kB", 0), CHECKS[6], "missing: memory"),
        ("manager", Answer("", 1), CHECKS[6], "missing: userspace, kernel phase"),
        ("units", Answer("", 1), CHECKS[6], "missing: multi-user, provisioned, docker-ready; not found"),
        ("user_data", Answer("", 1), CHECKS[6], "missing: user-data"),
        ("container_run", Answer("", 125), CHECKS[6], "missing: container-exited"),
    ],
)
def test_a_missing_or_wrong_answer_fails_its_check(part: str, answer: Answer, check: str, detail: str) -> None:
    evidence = found({**good_answers(), part: answer})
    assert detail in details(evidence)[check]
    assert check in failed(evidence)


@pytest.mark.parametrize(
    ("part", "answer", "unknown"),
    [
        ("listeners", Answer("sh: ss: not found", 127), "listening sockets"),
        ("setuid", Answer("find: unrecognized: -perm", 1), "set-uid files"),
        ("cgroups", Answer("cd: can't cd to /sys/fs/cgroup", 2), "processes"),
    ],
)
def test_a_tree_without_the_programs_that_find_out_is_no_worse(part: str, answer: Answer, unknown: str) -> None:
    evidence = found({**good_answers(), part: answer})
    assert failed(evidence) == []
    assert details(evidence)[CHECKS[6]] == f"not found out: {unknown}"


def test_podman_and_no_runtime_have_milestones_and_checks_of_their_own() -> None:
    answers = good_answers()
    podman = found(answers, context=replace(CONTEXT, runtime="podman"))
    assert [one.name for one in podman.milestones if one.name in ("docker-ready", "container-exited")] == [
        "container-exited"
    ]
    assert {"podman version answers", "podman run prints"} < set(details(podman))
    none = found({k: v for k, v in answers.items() if "container" not in k}, context=replace(CONTEXT, runtime="none"))
    assert len(none.checks) == len(CHECKS) - 2
    assert (failed(podman), failed(none)) == ([], [])
    assert podman.docker_ready_seconds is none.docker_ready_seconds is None


def test_failed_units_are_named() -> None:
    units = Answer(f"{UNITS}\nId=boot.automount\nActiveState=failed\n", 0)
    evidence = found({**good_answers(), "units": units, "state": Answer("degraded", 1)})
    assert evidence.failed_units == ("boot.automount",)
    assert evidence.checks[1].detail == "degraded; failed: boot.automount"


def test_an_agent_that_still_works_has_not_provisioned() -> None:
    units = UNITS.replace("ActiveState=active\nSubState=exited", "ActiveState=activating\nSubState=start")
    evidence = found({**good_answers(), "units": Answer(units, 0)})
    assert "provisioned" not in [milestone.name for milestone in evidence.milestones]
    assert "missing: provisioned" in details(evidence)[CHECKS[6]]


def test_a_lost_guest_is_all_failed_checks_and_no_numbers() -> None:
    evidence = found({}, clock=Clock(4.0, 0.1), failure="the connection to the guest ended")
    assert [check.passed for check in evidence.checks] == [False] * 7
    assert evidence.checks[2].detail == "the connection to the guest ended"
    assert (evidence.docker_ready_seconds, evidence.process_count, evidence.memory_used_bytes) == (None, None, None)
    assert (evidence.service_count, evidence.listeners, evidence.setuid_files) == (None, None, None)
    assert evidence.units == ()
    assert [milestone.name for milestone in evidence.milestones] == ["kernel", "ssh-banner", "ssh-login"]


@pytest.mark.parametrize("drift", [9.0, -9.0, None])
def test_a_clock_that_jumped_is_told(drift: float | None) -> None:
    evidence = found(good_answers(), clock=Clock(4.0, 0.1, drift))
    assert failed(evidence) == [CHECKS[5]]


@pytest.mark.parametrize("jump", ["99999999999999", str(2**64 - 1), "0", "2y 11month 4w", "-5", ""])
def test_timestamps_that_cannot_be_are_unknown(jump: str) -> None:
    units = UNITS.replace("=15000000", f"={jump}").replace("InactiveExitTimestampMonotonic=16000000\n", "")
    manager = MANAGER.replace("=20000000", f"={jump}")
    evidence = found({**good_answers(), "units": Answer(units, 0), "manager": Answer(manager, 0)})
    assert evidence.docker_ready_seconds is evidence.phases.userspace_seconds is None
    assert "docker.service" not in [unit.unit for unit in evidence.units]
    assert details(evidence)[CHECKS[6]] == "missing: docker-ready, userspace phase; not found out: critical chain"


def test_timestamps_that_go_backwards_are_no_times() -> None:
    manager = MANAGER.replace("=5000000", "=1000000")
    units = UNITS.replace("=15000000", "=9000000")
    evidence = found({**good_answers(), "manager": Answer(manager, 0), "units": Answer(units, 0)})
    assert evidence.phases == phases(4.0, 2.0, None, 19.0)
    assert [unit.unit for unit in evidence.units] == ["min-cloud-agent-user-data.service", "multi-user.target"]


def real_answers(variant: str) -> str:
    return gzip.decompress((DATA / f"{variant}.txt.gz").read_bytes()).decode()


def real_evidence(variant: str, text: str) -> Evidence:
    agent: Agent = "min-cloud-agent" if variant == "atomic-min" else "cloud-init"
    return found(read_answers(SECRET, text), context=replace(CONTEXT, agent=agent))


@pytest.mark.parametrize("variant", ["atomic-cloud-init", "atomic-min", "cloud-docker"])
def test_a_real_boot_is_read_whole(variant: str) -> None:
    evidence = real_evidence(variant, real_answers(variant))
    assert failed(evidence) == []
    assert details(evidence)[CHECKS[6]] == "all"
    assert len(evidence.milestones) == 9
    units = {unit.unit: unit for unit in evidence.units}
    # Both have ended: one in the initrd, one once it had done its work.
    assert units["dracut-cmdline.service"].seconds > 0
    assert ("cloud-init-main.service" in units) is (variant != "atomic-min")
    assert units["docker.service"].critical
    assert (units["docker.service"].memory_bytes or 0) > 50_000_000
    assert (units["init.scope"].cpu_seconds or 0) > 1
    assert evidence.service_count in range(10, 20)
    assert evidence.process_count in range(10, 30)
    assert "/usr/bin/su" in (evidence.setuid_files or ())
    assert ("tcp", "0.0.0.0:22", "sshd") in [(at.protocol, at.address, at.program) for at in evidence.listeners or ()]


def figures(value: Any, path: str = "") -> dict[str, Any]:
    """Every figure of a result by its place; a list is one figure."""
    if isinstance(value, dict):
        return {at: x for key, item in value.items() for at, x in figures(item, f"{path}/{key}").items()}
    return {path: value}


@pytest.mark.parametrize("variant", ["atomic-min", "cloud-docker"])
def test_a_real_answer_cut_off_anywhere_gives_true_figures_or_none(variant: str) -> None:
    text = real_answers(variant)
    whole = figures(real_evidence(variant, text).model_dump(mode="json"))
    marks = [text.index(line) for line in text.split("\n") if line.startswith(f"@{SECRET.token}")]
    places = {*range(0, len(text), 797), *(mark + step for mark in marks for step in range(0, 52, 3)), len(text) - 2}
    for place in sorted(place for place in places if place <= len(text.rstrip()) - 1):
        cut = real_evidence(variant, text[:place]).model_dump(mode="json")
        assert cut["checks"][-1]["detail"] != "all"
        for at, value in figures(cut).items():
            if at == "/milestones":
                assert [milestone for milestone in value if milestone not in whole[at]] == [], place
            elif at not in ("/checks", "/units"):
                assert value in (None, [], "", whole[at]), (place, at)
        names = {unit["unit"] for unit in whole["/units"]}
        assert {unit["unit"] for unit in cut["units"]} <= names


def test_what_is_kept_of_a_boot() -> None:
    evidence = found(good_answers(), clock=Clock(4.00049, 0.1, 0.02))
    boot = boot_of(REQUEST, evidence, login_seconds=25.12345, host=HOST, started="2026-01-01T00:00:00+00:00")
    data = boot.model_dump(mode="json")
    assert (data["index"], data["firmware"], data["accelerator"], data["cpus"]) == (3, "bios", "tcg", 2)
    assert data["ssh_login_seconds"] == 25.123
    assert data["phases"]["firmware_loader_seconds"] == 4.0
    assert data["units"][0] == {
        "unit": "docker.service", "seconds": 5.0, "started_seconds": 14.0, "critical": True, "cpu_seconds": 1.5,
        "memory_bytes": 4096, "package": None,
    }  # fmt: skip
    assert data["milestones"][0] == {"name": "kernel", "seconds": 4.0}
    assert data["listeners"] == [{"protocol": "tcp", "address": "0.0.0.0:22", "program": "sshd"}]
    assert data["checks"][0] == {"name": CHECKS[0], "passed": True, "detail": good_answers()["user_data"].text}
    assert data["host"] == {
        "cpu_model": "a CPU", "cpus": 2, "load_1m": 0.5, "qemu_version": "10.0.1", "load_1m_after": 1.5,
        "other_busy_cpus": 0.25,
    }  # fmt: skip


@pytest.mark.parametrize("digits", ["9" * 400, "-1.0"])
def test_a_time_that_is_no_number_is_not_known(digits: str) -> None:
    evidence = found({**good_answers(), "user_data": Answer(f"{SECRET.token} {digits}", 0)})
    assert evidence.script_done_seconds is None
    assert failed(evidence) == [CHECKS[6]]
