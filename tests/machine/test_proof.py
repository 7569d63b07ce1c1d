"""The proof of life: its script run by a real shell with stand-ins for the guest's programs, and its reading."""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from atomic_lib import command
from atomic_lib.machine.boot import Boot, BootRequest
from atomic_lib.machine.proof import (
    USER_DATA_PROOF,
    Answer,
    Answers,
    Secret,
    container_archive,
    new_secret,
    proof_script,
    read_answers,
    user_data_script,
)
from atomic_lib.machine.result import Clock, Host, as_json, read_findings
from atomic_lib.machine.systemd import Phases, UnitTime

SECRET = Secret("0123456789abcdef0123456789abcdef")
MANAGER = "InitRDTimestampMonotonic=2000000\nUserspaceTimestampMonotonic=5000000\nFinishTimestampMonotonic=20000000\n"
UNITS = """Id=docker.service
ActiveState=active
InactiveExitTimestampMonotonic=10000000
ActiveEnterTimestampMonotonic=15000000

Id=multi-user.target
ActiveState=active
ActiveEnterTimestampMonotonic=16000000
"""
HOST = Host("a CPU", 2, 0.5, "10.0.1")
REQUEST = BootRequest("bios", "tcg", 2, 2048, 600, "min-cloud-agent", 3)
CHECKS = (
    "login with the key from the metadata service",
    "user-data script ran",
    "system is running",
    "docker version answers",
    "docker run prints",
    "host name from the metadata service",
    "the guest's own measurements are complete",
)


def fake(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A guest's systemctl, journalctl and docker that answer as real ones would."""
    (tmp_path / "manager").write_text(MANAGER)
    (tmp_path / "units").write_text(UNITS)
    show = f'case "$*" in *.service*) cat {tmp_path}/units;; *) cat {tmp_path}/manager;; esac'
    fake(tmp_path, "systemctl", f"case $1 in is-system-running) echo running;; show) {show};; esac")
    fake(tmp_path, "journalctl", "printf 'a line without its end'")
    words = f'version) echo 26.1.5;; import) wc -c >{tmp_path}/imported; echo sha256:1;; run) shift 7; echo "$1";;'
    fake(tmp_path, "docker", f"case $1 in {words} esac")
    return tmp_path


def answered(programs: Path, archive: bytes = b"archive") -> dict[str, Answer]:
    path = f"{programs}:{os.environ['PATH']}"
    script = proof_script(SECRET, "min-cloud-agent", 5)
    return read_answers(SECRET, command.run(["sh", "-c", script], input=archive, env={"PATH": path}).stdout)


def test_every_part_comes_back_with_text_and_status(programs: Path) -> None:
    parts = answered(programs)
    assert parts["state"] == Answer("running", 0)
    assert parts["units"] == Answer(UNITS.strip(), 0)
    assert parts["manager"] == Answer(MANAGER.strip(), 0)
    assert parts["agent_journal"] == Answer("a line without its end", 0)
    assert parts["docker_version"] == Answer("26.1.5", 0)
    assert parts["docker_run"] == Answer(SECRET.token, 0)
    assert parts["hostname"].text == os.uname().nodename
    assert int(parts["processes"].text) > 0
    assert parts["user_data"].status == 1
    assert USER_DATA_PROOF in parts["user_data"].text
    assert (programs / "imported").read_text().strip() == "7"  # nothing else read the archive


def test_a_failing_program_keeps_its_status_and_words(programs: Path) -> None:
    fake(programs, "docker", "echo cannot connect >&2; exit 3")
    fake(programs, "systemctl", "echo degraded; exit 1")
    parts = answered(programs)
    assert parts["docker_version"] == Answer("cannot connect", 3)
    assert parts["state"] == Answer("degraded", 1)


def test_output_that_was_cut_off() -> None:
    mark = f"@{SECRET.token}"
    text = f"motd\n{mark} state\nrunning\n\n{mark} = 0\n{mark} units\nId=a.serv"
    parts = read_answers(SECRET, text)
    assert parts == {"state": Answer("running", 0), "units": Answer("Id=a.serv", None)}
    lost = Answers(parts, "the connection to the guest ended").part("docker_run")
    assert lost == Answer("the connection to the guest ended", None)
    assert read_answers(SECRET, "") == {}


def good_answers() -> dict[str, Answer]:
    texts = {
        "state": "running",
        "memory": "MemTotal:  2000 kB\nMemFree: 1 kB\nMemAvailable:  1500 kB\nHugePages_Total: 0",
        "processes": "98",
        "kernel": "6.12.1",
        "hostname": SECRET.hostname,
        "user_data": f"{SECRET.token} 12.50",
        "manager": MANAGER,
        "units": UNITS,
        "docker_version": "26.1.5",
        "docker_import": "sha256:1",
        "docker_run": SECRET.token,
    }
    return {name: Answer(text, 0) for name, text in texts.items()}


def test_findings_of_a_good_boot() -> None:
    found = read_findings(Answers(good_answers(), ""), SECRET, Clock(4.0, 0.1))
    assert found.docker_ready_seconds == 19.0
    assert found.script_done_seconds == 16.5
    assert found.multi_user_seconds == 20.0
    assert found.phases == Phases(4.0, 2.0, 3.0, 15.0)
    assert found.units == (UnitTime("docker.service", 5.0),)
    assert (found.memory_used_bytes, found.memory_total_bytes) == (500 * 1024, 2000 * 1024)
    assert (found.process_count, found.kernel_release) == (98, "6.12.1")
    assert tuple(check.name for check in found.checks) == CHECKS
    assert [check.name for check in found.checks if not check.passed] == []


@pytest.mark.parametrize(
    ("part", "answer", "check", "detail"),
    [
        ("user_data", Answer("cat: no such file", 1), CHECKS[1], "no such file"),
        ("user_data", Answer("ffff 1.0", 0), CHECKS[1], "ffff"),
        ("state", Answer("degraded", 1), CHECKS[2], "degraded"),
        ("state", Answer("", 124), CHECKS[2], "no answer within the time limit"),
        ("docker_version", Answer("not found", 127), CHECKS[3], "not found"),
        ("docker_run", Answer("hello", 0), CHECKS[4], "hello"),
        ("docker_run", Answer(SECRET.token, None), CHECKS[4], SECRET.token),
        ("docker_import", Answer("no space", 1), CHECKS[4], "docker import: no space"),
        ("hostname", Answer("localhost", 0), CHECKS[5], "localhost"),
        ("memory", Answer("", 1), CHECKS[6], "memory"),
        ("manager", Answer("", 1), CHECKS[6], "kernel"),
        ("units", Answer("", 1), CHECKS[6], "docker.service, multi-user.target"),
    ],
)
def test_a_missing_or_wrong_answer_fails_its_check(part: str, answer: Answer, check: str, detail: str) -> None:
    found = read_findings(Answers({**good_answers(), part: answer}, ""), SECRET, Clock(4.0, 0.1))
    by_name = {item.name: item for item in found.checks}
    assert detail in by_name[check].detail
    assert not by_name[check].passed


def test_failed_units_are_named() -> None:
    units = Answer(f"{UNITS}\nId=boot.automount\nActiveState=failed\n", 0)
    answers = Answers({**good_answers(), "units": units, "state": Answer("degraded", 1)}, "")
    found = read_findings(answers, SECRET, Clock(4.0, 0.1))
    assert found.failed_units == ("boot.automount",)
    assert found.checks[2].detail == "degraded; failed: boot.automount"


def test_a_lost_guest_is_all_failed_checks_and_no_numbers() -> None:
    found = read_findings(Answers({}, "the connection to the guest ended"), SECRET, Clock(4.0, 0.1))
    assert [check.passed for check in found.checks] == [True] + [False] * 6
    assert found.checks[3].detail == "the connection to the guest ended"
    assert found.docker_ready_seconds is found.process_count is found.memory_used_bytes is None
    assert found.units == ()


def test_a_boot_as_json() -> None:
    found = read_findings(Answers(good_answers(), ""), SECRET, Clock(4.00049, 0.1))
    boot = Boot(REQUEST, 25.12345, Clock(4.00049, 0.1), found, HOST)
    assert boot.passed
    data = json.loads(json.dumps(boot.to_json(), allow_nan=False))
    assert data["index"] == 3
    assert data["ssh_login_seconds"] == 25.123
    assert data["phases"]["firmware_loader_seconds"] == 4.0
    assert data["units"] == [{"unit": "docker.service", "seconds": 5.0}]
    assert data["checks"][0] == {"name": CHECKS[0], "passed": True, "detail": "root"}
    assert data["host"] == {"cpu_model": "a CPU", "cpus": 2, "load_1m": 0.5, "qemu_version": "10.0.1"}


def test_json_has_no_nan() -> None:
    assert as_json(Clock(float("nan"), float("inf"))) == {"zero_seconds": None, "error_seconds": None}


def test_secrets_differ_and_are_a_valid_instance() -> None:
    first, second = new_secret(), new_secret()
    assert first.token != second.token
    instance = first.instance("ssh-ed25519 AAAA")
    assert instance.instance_id.startswith("i-")
    assert instance.public_keys == ("ssh-ed25519 AAAA",)
    assert instance.user_data.startswith("#!/bin/sh\n")


def test_the_user_data_script_leaves_token_and_clock(tmp_path: Path) -> None:
    script = user_data_script("word").replace(USER_DATA_PROOF, str(tmp_path / "proof"))
    command.run(["sh", "-c", script])
    token, uptime = (tmp_path / "proof").read_text().split()
    assert token == "word"
    assert float(uptime) > 0


def test_the_container_archive_holds_busybox(tmp_path: Path) -> None:
    (tmp_path / "busybox").write_bytes(b"\x7fELF")
    with tarfile.open(fileobj=io.BytesIO(container_archive(tmp_path / "busybox"))) as archive:
        (member,) = archive.getmembers()
        assert (member.name, member.mode, member.size) == ("busybox", 0o755, 4)
