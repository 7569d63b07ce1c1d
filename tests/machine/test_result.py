"""From a guest's answers to figures and checks: good ones, wrong ones, and real ones cut off anywhere."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.machine.boot import Boot, BootRequest
from atomic_lib.machine.clock import Clock
from atomic_lib.machine.hostload import Host
from atomic_lib.machine.marks import Asked, Mark
from atomic_lib.machine.proof import Answer, Answers, Secret, read_answers
from atomic_lib.machine.result import Findings, as_json, read_findings
from atomic_lib.machine.running import Listener
from atomic_lib.machine.systemd import Phases
from atomic_lib.machine.units import UnitTime

DATA = Path(__file__).parent / "data"
SECRET = Secret("0123456789abcdef0123456789abcdef")
CLOCK = Clock(4.0, 0.1, 0.02)
ASKED = Asked("min-cloud-agent", "docker", 20.5, 23.0)
MANAGER = "InitRDTimestampMonotonic=2000000\nUserspaceTimestampMonotonic=5000000\nFinishTimestampMonotonic=20000000\n"
UNITS = """Id=docker.service
ActiveState=active
SubState=running
InactiveExitTimestampMonotonic=10000000
ActiveEnterTimestampMonotonic=15000000
FragmentPath=/usr/lib/systemd/system/docker.service
CPUUsageNSec=2000000000

Id=min-cloud-agent-user-data.service
ActiveState=active
SubState=exited
InactiveExitTimestampMonotonic=12000000
ActiveEnterTimestampMonotonic=12750000
CPUUsageNSec=[not set]

Id=multi-user.target
ActiveState=active
InactiveExitTimestampMonotonic=16000000
ActiveEnterTimestampMonotonic=16000000
After=docker.service gone.service
"""
CGROUPS = """./cgroup.procs:2
./system.slice/docker.service/memory.current:4096
./system.slice/docker.service/cpu.stat:usage_usec 1500000
./system.slice/docker.service/cgroup.procs:500
"""
HOST = Host("a CPU", 2, 0.5, "10.0.1", 1.5, 0.25)
REQUEST = BootRequest("bios", "tcg", 2, 2048, 600, "min-cloud-agent", 3)
CHECKS = (
    "login with the key that the guest was given",
    "user-data script ran",
    "system is running",
    "docker version answers",
    "docker run prints",
    "host name that the guest was given",
    "the guest's clock kept pace with the host's",
    "the guest's own measurements are complete",
)


def good_answers() -> dict[str, Answer]:
    texts = {
        "state": "running",
        "memory": "MemTotal:  2000 kB\nMemFree: 1 kB\nMemAvailable:  1500 kB\nHugePages_Total: 0",
        "cgroups": CGROUPS,
        "listeners": 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=5,fd=6))',
        "container_import": "sha256:1",
        "container_run": SECRET.token,
        "container_version": "26.1.5",
        "kernel": "6.12.1",
        "hostname": SECRET.hostname,
        "user_data": f"{SECRET.token} 12.50",
        "manager": MANAGER,
        "units": UNITS,
        "setuid": "/usr/bin/su\n/usr/bin/mount",
    }
    return {name: Answer(text, 0, 30.0 + place) for place, (name, text) in enumerate(texts.items())}


def found(answers: Mapping[str, Answer], clock: Clock = CLOCK, asked: Asked = ASKED, failure: str = "") -> Findings:
    return read_findings(Answers(dict(answers), failure), SECRET, clock, asked)


def details(findings: Findings) -> dict[str, str]:
    return {check.name: check.detail for check in findings.checks}


def failed(findings: Findings) -> list[str]:
    return [check.name for check in findings.checks if not check.passed]


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


SHADOW = "cat: can't open '/host/shadow': Permission denied"
LABELS = ("system_u:system_r:container_t:s0:c449,c550\0", "system_u:system_r:container_t:s0:c240,c532\0")
READ = (
    'audit: type=1400 audit(1.0:7): avc:  denied  { read } for  pid=9 comm="busybox" name="shadow" dev="vda3" ino=4 '
    "scontext=system_u:system_r:container_t:s0:c240,c532 tcontext=system_u:object_r:shadow_t:s0 tclass=file "
    "permissive=0"
)
ENFORCING = {
    "selinux": Answer("1", 0),
    "denials": Answer("journal read", 0),
    "container_label": Answer(LABELS[0], 0),
    "container_shadow": Answer(f"{LABELS[1]}\n{SHADOW}", 1),
    "denials_after": Answer(f"{READ}\njournal read", 0),
}
CONFINED = (
    "SELinux is enforcing",
    "a container is confined, with categories of its own",
    "a container cannot read the host's /etc/shadow",
    "the attempt is logged as a denial",
)


def test_an_enforcing_guest_proves_that_its_containers_are_confined() -> None:
    findings = found({**good_answers(), **ENFORCING}, asked=replace(ASKED, selinux="enforcing"))
    assert failed(findings) == []
    told = details(findings)
    assert [told[name] for name in CONFINED] == [
        "enforcing",
        " ".join(label.strip("\0") for label in LABELS),
        "Permission denied",
        "container_t read shadow_t shadow",
    ]
    assert (findings.selinux_mode, findings.denials, findings.denials_lost) == ("enforcing", (), 0)


@pytest.mark.parametrize(
    ("part", "answer", "check"),
    [
        ("selinux", Answer("0", 0), CONFINED[0]),
        ("selinux", Answer("", None), CONFINED[0]),
        ("container_label", Answer(LABELS[1], 0), CONFINED[1]),
        ("container_label", Answer("system_u:system_r:dockerd_t:s0", 0), CONFINED[1]),
        ("container_shadow", Answer(f"{LABELS[1]}\nroot:secret:1:0", 0), CONFINED[2]),
        ("container_shadow", Answer(f"{LABELS[1]}\ncat: can't open '/host/shadow': No such file", 1), CONFINED[2]),
        ("container_shadow", Answer("docker: permission denied", 126), CONFINED[2]),
        ("denials_after", Answer("journal read", 0), CONFINED[3]),
    ],
)
def test_a_container_that_is_not_confined_fails_the_proof(part: str, answer: Answer, check: str) -> None:
    findings = found({**good_answers(), **ENFORCING, part: answer}, asked=replace(ASKED, selinux="enforcing"))
    assert check in failed(findings)
    assert "secret" not in str(findings)


def test_what_enforces_nothing_is_not_asked_to_confine() -> None:
    findings = found({**good_answers(), "selinux": Answer("0", 0)}, asked=replace(ASKED, selinux="permissive"))
    assert failed(findings) == []
    assert set(details(findings)) & set(CONFINED) == set()
    assert findings.denials is None


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
