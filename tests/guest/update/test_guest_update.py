"""The way of a guest to version 2 and back, told by a guest that is not there: what it is asked, and in which order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.download_prediction import ServedFile
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest import guest_session
from atomic_lib.guest.evidence.proof_of_life import Check, Evidence
from atomic_lib.guest.update.guest_update import GuestUpdateRequest, Story, tell
from atomic_lib.guest.update.repository_server import ServerLog
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.vm.clock import Clock
from atomic_lib.guest.vm.qemu import Guest
from atomic_lib.params.variant import load_variant
from tests.contexts import own_context
from tests.guest.update.updates import AFTER, BEFORE

LATER = (
    Check(name="user-data script ran", passed=False),
    Check(name="the guest's own measurements are complete", passed=False, detail="missing: user-data"),
)


@dataclass
class _Told:
    """A guest that does as it is told: the commands so far, the version that runs, the checks of each boot."""

    log: ServerLog = field(default_factory=ServerLog)
    commands: list[str] = field(default_factory=list)
    version: str = BEFORE
    checks: list[tuple[Check, ...]] = field(default_factory=list)
    asked: int = 0
    docker_fails: int = 0

    def run(self, command: str, **_: Any) -> Completed:
        """Answer a command as ostree and the program ``look`` do."""
        self.commands.append(command.partition("\n")[0])
        if command == "ostree admin upgrade --pull-only":
            self.log.files += [ServedFile("a", 100), ServedFile("b", 20)]
        if command == "systemctl reboot":
            self.version = AFTER if self.version == BEFORE else BEFORE
        if command.startswith("# What the guest has used"):
            self.asked += 1
            return Completed(f"{1000 * self.asked} {50 * self.asked} 4096 1000 {500 - self.asked}\n", "")
        if command == "docker version" and self.docker_fails:
            self.docker_fails -= 1
            raise CommandError("docker: Cannot connect to the Docker daemon")
        return Completed(f"deployment fedora-atomic {self.version}.0\nusr written\n", "")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> _Told:
    """A guest, and no ssh to reach it by."""
    told = _Told()

    @contextmanager
    def log_in(*_: object) -> Iterator[_Told]:
        yield told

    def evidence(*_: object) -> Evidence:
        return Evidence(checks=told.checks.pop(0))

    for name, value in {
        "log_in": log_in,
        "wait_for_banner": lambda *_: None,
        "wait_for_silence": lambda *_: None,
        "read_clock": lambda *_: (Clock(0.0, 0.0), 1.0),
        "read_clock_again": lambda *_: Clock(0.0, 0.0, 0.0),
        "ask": lambda *_, **__: None,
        "read_evidence": evidence,
    }.items():
        monkeypatch.setattr(guest_session, name, value)
    return told


class Running:
    """QEMU, which has not ended."""

    def poll(self) -> None:
        """No exit status."""


def story(told: _Told, directory: Path) -> Story:
    versions = UpdateVersions("own", *(Version(Path("repo"), "own ref", commit) for commit in (BEFORE, AFTER)))
    variant = load_variant("atomic-min")
    unused: Any = None
    request = GuestUpdateRequest(variant, "enforcing", unused, versions, directory)
    return Story(request, own_context(directory), Guest(Running(), 0.0, directory), unused, unused, told.log)


def test_the_guest_goes_to_version_2_and_back(told: _Told, tmp_path: Path) -> None:
    passed = Check(name="system is running", passed=True)
    told.checks = [(passed,), (passed, *LATER), (passed, *LATER)]
    update = tell(story(told, tmp_path))
    assert [state.commit for state in (*update.states, update.deployed)] == [BEFORE, AFTER, BEFORE, BEFORE]
    assert [command for command in told.commands if not command.startswith("#")] == [
        "ostree pull --commit-metadata-only fedora-atomic 'own ref'",
        "ostree admin upgrade --pull-only",
        "ostree admin upgrade --deploy-only",
        "systemctl reboot",
        "docker version",
        "ostree admin set-default 1",
        "systemctl reboot",
        "docker version",
    ]
    steps = {step.name: (step.download.requests, step.download.bytes) for step in update.steps}
    assert list(steps) == ["check", "download", "deploy", "reboot", "rollback", "reboot back"]
    assert {name: figures for name, figures in steps.items() if any(figures)} == {"download": (2, 120)}
    assert [boot.checks for boot in update.boots] == [(passed,)] * 3


def test_a_step_counts_what_it_wrote_and_a_reboot_how_long_docker_was_away(told: _Told, tmp_path: Path) -> None:
    told.checks, told.docker_fails = [(Check(name="system is running", passed=True),)] * 3, 1
    update = tell(story(told, tmp_path))
    steps = {str(step.name): step for step in update.steps}
    for name in ("check", "download", "deploy", "rollback"):
        assert (steps[name].written_bytes, steps[name].processor_seconds) == (1000 * 512, 0.5)
        assert steps[name].docker_seconds is None
    assert steps["deploy"].after is not None
    assert steps["deploy"].after.disk_used_bytes == 4096 * (500 + 6)
    reboots = [step for step in update.steps if step.name in ("reboot", "reboot back")]
    assert [(step.written_bytes, step.processor_seconds) for step in reboots] == [(None, None)] * 2
    waited = [(step.docker_seconds or 0) - step.seconds for step in reboots]
    assert waited[0] >= 0.5
    assert waited[1] >= 0


@pytest.mark.parametrize(
    ("boot", "said"), [(0, "the first boot"), (1, "reboot"), (2, "reboot back")], ids=["first", "second", "third"]
)
def test_a_boot_without_proof_of_life_ends_it(told: _Told, tmp_path: Path, boot: int, said: str) -> None:
    passed, failed = Check(name="a", passed=True), Check(name="docker run prints", passed=False, detail="no")
    told.checks = [(passed,)] * boot + [(passed, failed)]
    with pytest.raises(WorkbookError) as caught:
        tell(story(told, tmp_path))
    assert caught.value.message == f"atomic-min: proof of life failed after {said}: docker run prints: no"


def test_user_data_must_have_run_on_the_first_boot(told: _Told, tmp_path: Path) -> None:
    told.checks = [LATER]
    with pytest.raises(WorkbookError, match="user-data script ran"):
        tell(story(told, tmp_path))
