"""From a guest's answers to figures and checks: good ones, wrong ones, and real ones cut off anywhere."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.guest.evidence.answers import Findings, as_json
from atomic_lib.guest.evidence.milestones import Mark
from atomic_lib.guest.evidence.proof_of_life import Answer, read_answers
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.guest.evidence.systemd import Phases
from atomic_lib.guest.evidence.unit_times import UnitTime
from atomic_lib.guest.timed_boot import Boot
from atomic_lib.guest.vm.clock import Clock
from tests.guest.evidence.answers import (
    ASKED,
    CHECKS,
    HOST,
    MANAGER,
    REQUEST,
    SECRET,
    UNITS,
    details,
    failed,
    found,
    good_answers,
)

DATA = Path(__file__).parent / "data"


def test_findings_of_a_good_boot() -> None:
    findings = found(good_answers())
    assert findings.docker_ready_seconds == 19.0
    assert findings.script_done_seconds == 16.5
    assert findings.multi_user_seconds == 20.0
    assert findings.phases == Phases(4.0, 2.0, 3.0, 15.0)
    assert findings.units == (
        UnitTime("docker.service", 5.0, 14.0, True, 1.5, 4096, "/usr/lib/systemd/system/docker.service"),
        UnitTime("min-cloud-agent-user-data.service", 0.75, 16.0),
        UnitTime("multi-user.target", 0.0, 20.0, True),
    )
    assert (findings.memory_used_bytes, findings.memory_total_bytes) == (500 * 1024, 2000 * 1024)
    assert (findings.process_count, findings.kernel_thread_count, findings.service_count) == (1, 1, 1)
    assert findings.listeners == (Listener("tcp", "0.0.0.0:22", "sshd"),)
    assert findings.setuid_files == ("/usr/bin/mount", "/usr/bin/su")
    assert findings.kernel_release == "6.12.1"
    assert tuple(check.name for check in findings.checks) == CHECKS
    assert failed(findings) == []
    assert details(findings)[CHECKS[7]] == "all"


def test_the_milestones_are_in_order_of_time() -> None:
    assert found(good_answers()).marks == (
        Mark("kernel", 4.0), Mark("initrd", 6.0), Mark("userspace", 9.0), Mark("provisioned", 16.75),
        Mark("docker-ready", 19.0), Mark("multi-user", 20.0), Mark("ssh-banner", 20.5), Mark("ssh-login", 23.0),
        Mark("container-exited", 39.0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("part", "answer", "check", "detail"),
    [
        ("user_data", Answer("cat: no such file", 1), CHECKS[1], "no such file"),
        ("user_data", Answer("ffff 1.0", 0), CHECKS[1], "ffff"),
        ("state", Answer("degraded", 1), CHECKS[2], "degraded"),
        ("state", Answer("", 124), CHECKS[2], "no answer within the time limit"),
        ("container_version", Answer("not found", 127), CHECKS[3], "not found"),
        ("container_run", Answer("hello", 0), CHECKS[4], "hello"),
        ("container_run", Answer(SECRET.token, None), CHECKS[4], SECRET.token),
        ("container_import", Answer("no space", 1), CHECKS[4], "docker import: no space"),
        ("hostname", Answer("localhost", 0), CHECKS[5], "localhost"),
        ("memory", Answer("", 1), CHECKS[7], "missing: memory"),
        ("memory", Answer("MemTotal: 5 kB\nMemAvailable: 6 kB", 0), CHECKS[7], "missing: memory"),
        ("manager", Answer("", 1), CHECKS[7], "missing: userspace, kernel phase"),
        ("units", Answer("", 1), CHECKS[7], "missing: multi-user, provisioned, docker-ready; not found"),
        ("user_data", Answer("", 1), CHECKS[7], "missing: user-data"),
        ("container_run", Answer("", 125), CHECKS[7], "missing: container-exited"),
    ],
)
def test_a_missing_or_wrong_answer_fails_its_check(part: str, answer: Answer, check: str, detail: str) -> None:
    findings = found({**good_answers(), part: answer})
    assert detail in details(findings)[check]
    assert check in failed(findings)


@pytest.mark.parametrize(
    ("part", "answer", "unknown"),
    [
        ("listeners", Answer("sh: ss: not found", 127), "listening sockets"),
        ("setuid", Answer("find: unrecognized: -perm", 1), "set-uid files"),
        ("cgroups", Answer("cd: can't cd to /sys/fs/cgroup", 2), "processes"),
    ],
)
def test_a_tree_without_the_programs_that_find_out_is_no_worse(part: str, answer: Answer, unknown: str) -> None:
    findings = found({**good_answers(), part: answer})
    assert failed(findings) == []
    assert details(findings)[CHECKS[7]] == f"not found out: {unknown}"


def test_podman_and_no_runtime_have_marks_and_checks_of_their_own() -> None:
    answers = good_answers()
    podman = found(answers, asked=replace(ASKED, runtime="podman"))
    assert [mark.name for mark in podman.marks if mark.name in ("docker-ready", "container-exited")] == [
        "container-exited"
    ]
    assert {"podman version answers", "podman run prints"} < set(details(podman))
    none = found({k: v for k, v in answers.items() if "container" not in k}, asked=replace(ASKED, runtime="none"))
    assert len(none.checks) == len(CHECKS) - 2
    assert (failed(podman), failed(none)) == ([], [])
    assert podman.docker_ready_seconds is none.docker_ready_seconds is None


def test_failed_units_are_named() -> None:
    units = Answer(f"{UNITS}\nId=boot.automount\nActiveState=failed\n", 0)
    findings = found({**good_answers(), "units": units, "state": Answer("degraded", 1)})
    assert findings.failed_units == ("boot.automount",)
    assert findings.checks[2].detail == "degraded; failed: boot.automount"


def test_an_agent_that_still_works_has_not_provisioned() -> None:
    units = UNITS.replace("ActiveState=active\nSubState=exited", "ActiveState=activating\nSubState=start")
    findings = found({**good_answers(), "units": Answer(units, 0)})
    assert "provisioned" not in [mark.name for mark in findings.marks]
    assert "missing: provisioned" in details(findings)[CHECKS[7]]


def test_a_lost_guest_is_all_failed_checks_and_no_numbers() -> None:
    findings = found({}, clock=Clock(4.0, 0.1), failure="the connection to the guest ended")
    assert [check.passed for check in findings.checks] == [True] + [False] * 7
    assert findings.checks[3].detail == "the connection to the guest ended"
    assert findings.docker_ready_seconds is findings.process_count is findings.memory_used_bytes is None
    assert findings.service_count is findings.listeners is findings.setuid_files is None
    assert findings.units == ()
    assert [mark.name for mark in findings.marks] == ["kernel", "ssh-banner", "ssh-login"]


@pytest.mark.parametrize("drift", [9.0, -9.0, None])
def test_a_clock_that_jumped_is_told(drift: float | None) -> None:
    findings = found(good_answers(), clock=Clock(4.0, 0.1, drift))
    assert failed(findings) == [CHECKS[6]]


@pytest.mark.parametrize("jump", ["99999999999999", str(2**64 - 1), "0", "2y 11month 4w", "-5", ""])
def test_timestamps_that_cannot_be_are_unknown(jump: str) -> None:
    units = UNITS.replace("=15000000", f"={jump}").replace("InactiveExitTimestampMonotonic=16000000\n", "")
    manager = MANAGER.replace("=20000000", f"={jump}")
    findings = found({**good_answers(), "units": Answer(units, 0), "manager": Answer(manager, 0)})
    assert findings.docker_ready_seconds is findings.phases.userspace_seconds is None
    assert "docker.service" not in [unit.unit for unit in findings.units]
    assert details(findings)[CHECKS[7]] == "missing: docker-ready, userspace phase; not found out: critical chain"


def test_timestamps_that_go_backwards_are_no_times() -> None:
    manager = MANAGER.replace("=5000000", "=1000000")
    units = UNITS.replace("=15000000", "=9000000")
    findings = found({**good_answers(), "manager": Answer(manager, 0), "units": Answer(units, 0)})
    assert findings.phases == Phases(4.0, 2.0, None, 19.0)
    assert [unit.unit for unit in findings.units] == ["min-cloud-agent-user-data.service", "multi-user.target"]


def real_answers(variant: str) -> str:
    return gzip.decompress((DATA / f"{variant}.txt.gz").read_bytes()).decode()


def real_findings(variant: str, text: str) -> Findings:
    agent = "min-cloud-agent" if variant == "atomic-min" else "cloud-init"
    return found(read_answers(SECRET, text), asked=replace(ASKED, agent=agent))


@pytest.mark.parametrize("variant", ["atomic-cloud-init", "atomic-min", "cloud-docker"])
def test_a_real_boot_is_read_whole(variant: str) -> None:
    findings = real_findings(variant, real_answers(variant))
    assert failed(findings) == []
    assert details(findings)[CHECKS[7]] == "all"
    assert len(findings.marks) == 9
    units = {unit.unit: unit for unit in findings.units}
    # Both have ended: one in the initrd, one once it had done its work.
    assert units["dracut-cmdline.service"].seconds > 0
    assert ("cloud-init-main.service" in units) is (variant != "atomic-min")
    assert units["docker.service"].critical
    assert units["docker.service"].memory_bytes > 50_000_000
    assert units["init.scope"].cpu_seconds > 1
    assert findings.service_count in range(10, 20)
    assert findings.process_count in range(10, 30)
    assert "/usr/bin/su" in findings.setuid_files
    assert ("tcp", "0.0.0.0:22", "sshd") in [(at.protocol, at.address, at.program) for at in findings.listeners]


def figures(value: Any, path: str = "") -> dict[str, Any]:
    """Every figure of a result by its place; a list is one figure."""
    if isinstance(value, dict):
        return {at: x for key, item in value.items() for at, x in figures(item, f"{path}/{key}").items()}
    return {path: value}


@pytest.mark.parametrize("variant", ["atomic-min", "cloud-docker"])
def test_a_real_answer_cut_off_anywhere_gives_true_figures_or_none(variant: str) -> None:
    text = real_answers(variant)
    whole = figures(as_json(real_findings(variant, text)))
    marks = [text.index(line) for line in text.split("\n") if line.startswith(f"@{SECRET.token}")]
    places = {*range(0, len(text), 797), *(mark + step for mark in marks for step in range(0, 52, 3)), len(text) - 2}
    for place in sorted(place for place in places if place <= len(text.rstrip()) - 1):
        cut = as_json(real_findings(variant, text[:place]))
        json.dumps(cut, allow_nan=False)
        assert cut["checks"][-1]["detail"] != "all"
        for at, value in figures(cut).items():
            if at == "/marks":
                assert [mark for mark in value if mark not in whole[at]] == [], place
            elif at not in ("/checks", "/units"):
                assert value in (None, [], "", whole[at]), (place, at)
        names = {unit["unit"] for unit in whole["/units"]}
        assert {unit["unit"] for unit in cut["units"]} <= names


def test_a_boot_as_json() -> None:
    findings = found(good_answers(), clock=Clock(4.00049, 0.1, 0.02))
    boot = Boot(REQUEST, 20.5, 25.12345, Clock(4.00049, 0.1, 0.02), findings, HOST)
    assert boot.passed
    data = json.loads(json.dumps(boot.to_json(), allow_nan=False))
    assert data["index"] == 3
    assert data["ssh_login_seconds"] == 25.123
    assert (data["clock_error_seconds"], data["clock_drift_seconds"]) == (0.1, 0.02)
    assert data["phases"]["firmware_loader_seconds"] == 4.0
    assert data["units"][0] == {
        "unit": "docker.service", "seconds": 5.0, "started_seconds": 14.0, "critical": True, "cpu_seconds": 1.5,
        "memory_bytes": 4096, "path": "/usr/lib/systemd/system/docker.service",
    }  # fmt: skip
    assert data["marks"][0] == {"name": "kernel", "seconds": 4.0}
    assert data["listeners"] == [{"protocol": "tcp", "address": "0.0.0.0:22", "program": "sshd"}]
    assert data["checks"][0] == {"name": CHECKS[0], "passed": True, "detail": "root"}
    assert data["host"] == {
        "cpu_model": "a CPU", "cpus": 2, "load_1m": 0.5, "qemu_version": "10.0.1", "load_1m_after": 1.5,
        "other_busy_cpus": 0.25,
    }  # fmt: skip


def test_json_has_no_nan() -> None:
    assert as_json(Clock(float("nan"), float("inf"))) == {
        "zero_seconds": None, "error_seconds": None, "drift_seconds": None,
    }  # fmt: skip
