"""What a guest is asked while its upgrade is recorded, and where each step begins in the log."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest import guest_session
from atomic_lib.guest.power_cuts import upgrade_recording
from atomic_lib.guest.power_cuts.upgrade_recording import CONTROLS, Control, RecordingRequest
from atomic_lib.guest.update.guest_update import GuestUpdateRequest
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.vm.qemu import LOG_MOST_BYTES, WRITES_LOG, Guest
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import load_variant
from tests.contexts import own_context


@dataclass
class _Process:
    status: int | None = None

    def poll(self) -> int | None:
        return self.status


@dataclass
class _Told:
    """A guest that writes 1000 bytes to its log at each command, and goes off when it is told to."""

    request: GuestUpdateRequest
    guest: Guest
    process: _Process
    off: int | None = 0
    commands: list[str] = field(default_factory=list)

    @contextmanager
    def boot(self) -> Iterator["_Told"]:
        yield self

    def run(self, command: str, **_: Any) -> Completed:
        self.commands.append(command)
        with open(self.guest.directory / WRITES_LOG, "ab") as log:
            log.write(bytes(1000))
        if command.endswith("systemctl poweroff"):
            self.process.status = self.off
        return Completed("", "")

    def step(self, _: object, name: str, command: str) -> None:
        self.run(command)

    def prove(self, *_: object, **__: object) -> None:
        self.commands.append("proof of life")

    def administer(self, _: object) -> None:
        self.commands.append("administer")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Told:
    process = _Process()
    guest = Guest(process, 0.0, tmp_path)
    (tmp_path / "console.log").write_text("")
    unused: Any = None
    versions = UpdateVersions("own", *(Version(Path("repo"), "ref", commit * 64) for commit in "ab"))
    variant = load_variant("atomic-min").model_copy(update={"boot_timeout_seconds": 0.2})
    monkeypatch.setattr(upgrade_recording, "_IDLE_SECONDS", 0)
    return _Told(GuestUpdateRequest(variant, "enforcing", unused, versions, tmp_path), guest, process)


def record(told: _Told, control: Control) -> list[tuple[str, int]]:
    story: Any = told
    found = upgrade_recording._record(story, control)
    assert found.control == control
    return [(mark.step, mark.log_bytes) for mark in found.marks]


def test_each_step_begins_where_the_log_ends(told: _Told) -> None:
    assert record(told, "none") == [
        ("download", 1000), ("idle", 2000), ("deploy", 2000), ("idle again", 3000), ("shutdown", 3000),
    ]  # fmt: skip
    assert told.commands == [
        "proof of life", "administer", "sync", "ostree admin upgrade --pull-only",
        "ostree admin upgrade --deploy-only", "systemd-run --quiet --on-active=2 systemctl poweroff",
    ]  # fmt: skip


def test_fsync_is_off_before_the_download(told: _Told) -> None:
    record(told, "no-fsync")
    assert told.commands.index("ostree config set core.fsync false") < told.commands.index("sync")


def test_without_a_sync_all_calls_that_wait_for_the_disk_succeed_at_once(told: _Told) -> None:
    record(told, "no-sync")
    (deploy,) = [command for command in told.commands if "--deploy-only" in command]
    words = deploy.split("'")[1].removeprefix("SystemCallFilter=~").split()
    assert {"sync:0", "syncfs:0", "fsync:0", "fdatasync:0", "ioctl:EOPNOTSUPP"} <= {*words}


@pytest.mark.parametrize("status", [1, None])
def test_a_guest_that_does_not_power_off_is_an_error(told: _Told, status: int | None) -> None:
    told.off = status
    with pytest.raises(WorkbookError, match="did not power off"):
        record(told, "none")


def test_a_log_without_room_is_the_reason_whatever_fails(told: _Told, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def begun(*_: object) -> Iterator[_Told]:
        yield told

    def fail(*_: object) -> None:
        raise WorkbookError("Input/output error")

    image = Image("key", told.guest.directory, 0, 0, 0, 0.0, True)
    request = RecordingRequest(told.request.variant, "enforcing", image, told.request.versions, served=Path("served"))
    monkeypatch.setattr(upgrade_recording, "begin_story", begun)
    monkeypatch.setattr(upgrade_recording, "_record", fail)
    context, directory = own_context(told.guest.directory), told.guest.directory
    with pytest.raises(WorkbookError, match="Input/output error"):
        upgrade_recording._make(request, context, directory)
    (directory / WRITES_LOG).touch()
    os.truncate(directory / WRITES_LOG, LOG_MOST_BYTES)
    with pytest.raises(WorkbookError, match="the log has its limit"):
        upgrade_recording._make(request, context, directory)


def test_each_control_is_a_recording_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = UpdateVersions("own", *(Version(Path("repo"), "ref", commit * 64) for commit in "ab"))
    monkeypatch.setattr(guest_session, "accelerator_of", lambda *_: "tcg")
    variant, image = load_variant("atomic-min"), Image("key", tmp_path, 0, 0, 0, 0.0, True)
    keys = [
        upgrade_recording.UPGRADE_RECORDING.key_inputs(
            RecordingRequest(variant, "enforcing", image, versions, control), own_context(tmp_path)
        )
        for control in CONTROLS
    ]
    assert keys[0] != keys[1] != keys[2] != keys[0]
