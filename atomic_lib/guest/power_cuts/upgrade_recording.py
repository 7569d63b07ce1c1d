"""The stage that records each write of a guest's disk while it goes from version 1 to version 2.

The log begins with the boot, so that the image of version 1 and the log give the disk at any moment. The guest
downloads version 2, deploys or installs it, and powers off. Version 2 is not booted.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.model import Bytes, Model, read_model
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.compose.update.update_repository import make_update_repository
from atomic_lib.guest.guest_session import SessionRequest
from atomic_lib.guest.update.guest_update import GuestUpdateRequest, Story, begin_story
from atomic_lib.guest.update.update_commands import GuestVersions
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.vm.host_load import Patience
from atomic_lib.guest.vm.qemu import WRITES_LOG, Disk, read_console
from atomic_lib.tools.context import Context

Control = Literal["none", "no-fsync", "no-sync", "dnf"]
"""What is broken on purpose: nothing; ``core.fsync`` is false; the deployment does not wait for the disk; the update
is not atomic, but dnf's."""
CONTROLS: tuple[Control, ...] = get_args(Control)
StepOfUpgrade = Literal["download", "idle", "deploy", "idle again", "shutdown"]
_RECORDING = "recording.json"
_IDLE_SECONDS = 20
"""After the download, and after the deployment: longer than ext4 waits before it commits names (5 s), and shorter than
the kernel waits before it writes data out by itself (30 s)."""
_POWER_OFF = "systemd-run --quiet --on-active=2 systemctl poweroff"
"""A moment later, so that ssh ends before its connection does."""
# Each call that waits for the disk does nothing, and succeeds. Without ioctl(2) ostree cannot freeze the file system,
# and calls syncfs(2) instead.
_NO_SYNC = "~sync:0 syncfs:0 fsync:0 fdatasync:0 msync:0 sync_file_range:0 ioctl:EOPNOTSUPP"
_WITHOUT_SYNC = f"systemd-run --wait --pipe --quiet --property='SystemCallFilter={_NO_SYNC}'"
_POLL_SECONDS = 0.2
_SCRIPT_SECONDS = 120


class StepMark(Model):
    """Where a step begins: how many bytes the log had, once all that was written before is on the disk."""

    step: StepOfUpgrade
    log_bytes: Bytes


class Recording(Model):
    """The steps of a recorded upgrade, in their order; all ends when the guest has powered off."""

    control: Control
    marks: tuple[StepMark, ...]


@dataclass(frozen=True)
class RecordingRequest(SessionRequest):
    """The image of version 1 to boot, and the versions; ``control``: what is broken on purpose.

    ``served``: the directory that the server has; None: it is made of the commits of the versions.
    """

    versions: GuestVersions
    control: Control = "none"
    served: Path | None = None


@dataclass(frozen=True)
class RecordedUpgrade:
    """A recorded upgrade: the steps, and the log of the writes (``atomic_lib/formats/disk_states/write_log.py``)."""

    key: str
    recording: Recording
    log: Path


def record_upgrade(request: RecordingRequest, context: Context) -> RecordedUpgrade:
    """The recorded upgrade; made first if it is not in the store.

    Raises WorkbookError if a step or the proof of life of version 1 fails, with the guest's own words as its log, and
    if the guest writes more than ``LOG_MOST_BYTES``.
    """
    stored = UPGRADE_RECORDING.get(request, context)
    recording = read_model(Recording, stored.path / _RECORDING, hint="./workbook clean damaged")
    return RecordedUpgrade(stored.key, recording, stored.path / WRITES_LOG)


def _inputs(request: RecordingRequest, context: Context) -> dict[str, object]:
    versions = request.versions
    return {
        **request.key_inputs(context),
        "versions": versions.identities,
        "commands": asdict(versions.commands),
        "control": request.control,
    }


def _make(request: RecordingRequest, context: Context, directory: Path) -> None:
    with context.store.scratch("upgrade-recording") as scratch:
        served = _served(request, context, scratch)
        update = GuestUpdateRequest(request.variant, request.selinux, request.image, request.versions, served)
        disk = Disk(request.image.qcow2, "qcow2", log_writes=True)
        with (
            machine_lock(context.cache, UPGRADE_RECORDING.title(request)),
            begin_story(update, context, directory, disk) as story,
        ):
            try:
                recording = _record(story, request.control)
            finally:  # without room in the log, the guest sees I/O errors, and whatever fails then has that reason
                story.guest.require_room_to_log()
    write_text(directory / _RECORDING, recording.model_dump_json(indent=1) + "\n")


UPGRADE_RECORDING = Stage(
    "upgrade-recording",
    _make,
    _inputs,
    title=lambda request: f"{request.variant.variant}: record an upgrade ({request.control})",
    space_bytes=4_000_000_000,
)


def _served(request: RecordingRequest, context: Context, scratch: Path) -> Path:
    versions = request.versions
    if request.served is None:
        if not isinstance(versions, UpdateVersions):
            raise TypeError(f"{versions.name}: no repository for versions that are no commits")
        make_update_repository(context.tools, scratch / "served", (versions.before, versions.after))
    return request.served or scratch / "served"


def _record(story: Story, control: Control) -> Recording:
    marks: list[StepMark] = []
    commands = dict(story.request.versions.commands.steps)
    deploy = commands["deploy"]

    def mark(step: StepOfUpgrade) -> None:
        log_bytes = (story.guest.directory / WRITES_LOG).stat().st_size
        marks.append(StepMark(step=step, log_bytes=log_bytes))

    with story.boot() as shell:
        story.prove(shell)
        story.administer(shell)
        if control == "no-fsync":
            shell.run("ostree config set core.fsync false", timeout_seconds=_SCRIPT_SECONDS)
        shell.run("sync", timeout_seconds=_SCRIPT_SECONDS)
        mark("download")
        story.step(shell, "download", commands["download"])
        mark("idle")
        time.sleep(_IDLE_SECONDS)
        mark("deploy")
        story.step(shell, "deploy", f"{_WITHOUT_SYNC} {deploy}" if control == "no-sync" else deploy)
        mark("idle again")
        time.sleep(_IDLE_SECONDS)
        mark("shutdown")
        shell.run(_POWER_OFF, timeout_seconds=_SCRIPT_SECONDS)
    _wait_until_off(story)
    return Recording(control=control, marks=tuple(marks))


def _wait_until_off(story: Story) -> None:
    """Return once QEMU has ended. Raises WorkbookError if it did not end well, or not within the time of a boot."""
    variant, guest = story.request.variant, story.guest
    patience = Patience(variant.boot_timeout_seconds)
    while (status := guest.process.poll()) is None:
        if patience.is_over():
            break
        time.sleep(_POLL_SECONDS)
    if status != 0:
        raise WorkbookError(
            f"{variant.variant}: the guest did not power off after it had deployed version 2",
            hint="run again to retry; boot_timeout_seconds gives a slow host more time",
            log=last_lines(read_console(guest.console)),
        )
