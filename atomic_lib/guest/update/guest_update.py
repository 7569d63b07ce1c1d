"""The stage that takes a running guest of version 1 to version 2 and back: check, download, deploy, reboot, rollback.

The guest has one instance, and reboots by itself. Each of its three boots passes a proof of life. User-data runs on the
first boot of an instance only, so what it shows is not asked for later.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from atomic_lib.base.command import CommandError, last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.model import SelinuxMode, read_model
from atomic_lib.base.progress import reached
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.guest.boot_stages import accelerator_of
from atomic_lib.guest.evidence.console_milestones import console_milestone
from atomic_lib.guest.evidence.denials import MODE_COMMAND
from atomic_lib.guest.evidence.guest_queries import CONTAINER, Secret, ask, new_secret
from atomic_lib.guest.evidence.milestones import BootContext
from atomic_lib.guest.evidence.proof_of_life import COMPLETE_CHECK, USER_DATA_CHECK, read_evidence
from atomic_lib.guest.programs import program_text
from atomic_lib.guest.timed_boot import wait_for_key
from atomic_lib.guest.update.repository_server import ServerLog, serve_to_guest
from atomic_lib.guest.update.update_commands import GuestVersions
from atomic_lib.guest.update.update_evidence import (
    ETC_FILES,
    NEVRA_FORMAT,
    GuestState,
    GuestUpdate,
    GuestUsage,
    StepName,
    UpdateBoot,
    UpdateStep,
    figures_of,
    read_state,
    read_usage,
)
from atomic_lib.guest.vm.clock import read_clock, read_clock_again
from atomic_lib.guest.vm.data_source import provide_instance
from atomic_lib.guest.vm.host_load import Patience
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, Disk, Guest, Machine, read_console, start_guest
from atomic_lib.guest.vm.ssh import Deadline, Key, Shell, log_in, one_boot_key, wait_for_banner, wait_for_silence
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import Variant
from atomic_lib.tools.context import Context

_UPDATE = "update.json"
_STEP_SECONDS = 900
_POLL_SECONDS = 0.5
_ONCE = (USER_DATA_CHECK, COMPLETE_CHECK)
"""The checks that need the user-data script, which runs on the first boot of an instance only."""


@dataclass(frozen=True)
class GuestUpdateRequest:
    """The image of version 1, booted as ``variant`` says, and the versions; ``selinux``: the mode to prove.

    ``repository``: the directory that the server has, with what the commands of the versions ask for.
    """

    variant: Variant
    selinux: SelinuxMode
    image: Image
    versions: GuestVersions
    repository: Path


def update_guest(request: GuestUpdateRequest, context: Context) -> GuestUpdate:
    """The update of a guest and its rollback; made first if it is not in the store.

    Raises WorkbookError if a step or a proof of life fails, with the guest's own words as its log.
    """
    path = GUEST_UPDATE.get(request, context).path / _UPDATE
    return read_model(GuestUpdate, path, hint="./workbook clean damaged")


def _inputs(request: GuestUpdateRequest, context: Context) -> dict[str, object]:
    variant, versions = request.variant, request.versions
    return {
        "image": request.image.key,
        "versions": versions.identities,
        "commands": asdict(versions.commands),
        "guest": [variant.agent, variant.data_source, variant.runtime, variant.guest_cpus, variant.guest_memory_mib],
        "accelerator": accelerator_of(variant, context),
        "selinux": request.selinux,
    }


def _make(request: GuestUpdateRequest, context: Context, directory: Path) -> None:
    disk = Disk(request.image.qcow2, "qcow2")
    with (
        machine_lock(context.cache, GUEST_UPDATE.title(request)),
        begin_story(request, context, directory, disk) as story,
    ):
        update = tell(story)
    write_text(directory / _UPDATE, update.model_dump_json(indent=1) + "\n")


GUEST_UPDATE = Stage(
    "guest-update",
    _make,
    _inputs,
    title=lambda request: f"{request.variant.variant}: update a guest and roll it back",
    space_bytes=2_000_000_000,
    quiet=True,
)


@contextmanager
def begin_story(request: GuestUpdateRequest, context: Context, directory: Path, disk: Disk) -> Iterator["Story"]:
    """A guest on its first boot as a new instance, with its key, data and server; gone after the block."""
    variant, tools = request.variant, context.tools
    machine = Machine("bios", accelerator_of(variant, context), variant.guest_cpus, variant.guest_memory_mib)
    secret = new_secret()
    with one_boot_key(tools, directory) as key, serve_to_guest(request.repository, directory) as log:
        instance = secret.instance(key.public, variant.agent)
        source = provide_instance(variant.data_source, instance, tools, directory=directory, seen_as=BOOT_MOUNT)
        with source as provided:
            served = replace(provided, updates=True)
            with start_guest(tools, disk, machine, served, directory) as guest:
                story = Story(request, context, guest, key, secret, log)
                if provided.service:
                    wait_for_banner(guest, story.patience())
                    wait_for_key(provided.service, story.patience())
                yield story


def tell(story: "Story") -> GuestUpdate:
    """The whole way of the guest."""
    commands = story.request.versions.commands
    with story.boot() as shell:
        first = story.prove(shell, first=True)
        story.administer(shell)
        before = story.look(shell)
        for name, command in commands.steps:
            story.priced_step(shell, name, command)
        deployed = story.look(shell)
        story.reboot(shell)
    with story.boot("reboot") as shell:
        story.wait_for_docker(shell)
        second = story.prove(shell)
        after = story.look(shell)
        story.priced_step(shell, "rollback", commands.rollback)
        story.reboot(shell)
    with story.boot("reboot back") as shell:
        story.wait_for_docker(shell)
        third = story.prove(shell)
        back = story.look(shell)
    return GuestUpdate(
        steps=tuple(story.steps), states=(before, after, back), deployed=deployed, boots=(first, second, third)
    )


@dataclass
class Story:
    """A guest on its way; ``steps``: those that it has taken.

    ``enduring``: the guest may come to a dead end, from which it restarts by itself.
    """

    request: GuestUpdateRequest
    context: Context
    guest: Guest
    key: Key
    secret: Secret
    log: ServerLog
    steps: list[UpdateStep] = field(default_factory=list)
    enduring: bool = False
    _began: float = 0.0
    _banner_seconds: float = 0.0

    @contextmanager
    def boot(self, reboot: StepName | None = None, check: Deadline | None = None) -> Iterator[Shell]:
        """A login, as soon as the guest is up; ``reboot``: the step that is over then.

        ``check``: the time limit; None: that of one boot.
        """
        check = check or self.patience()
        wait_for_banner(self.guest, check)
        self._banner_seconds = time.monotonic() - self.guest.started
        with log_in(self.context.tools, self.key, self.guest, check) as shell:
            if reboot:
                self._took(reboot)
            yield shell

    def prove(self, shell: Shell, *, first: bool = False) -> UpdateBoot:
        """The proof of life of this boot; ``first``: the first one of the instance.

        Raises WorkbookError naming the checks that failed.
        """
        variant = self.request.variant
        clock, login_seconds = read_clock(shell, self.guest.started)
        answers = ask(
            shell,
            self.secret,
            variant.agent,
            variant.runtime,
            wait_seconds=variant.boot_timeout_seconds,
            keep=(self.guest.directory / f"guest-{len(self.steps)}.log").write_text,
        )
        clock = read_clock_again(clock, shell, self.guest.started)
        context = BootContext(variant.agent, variant.runtime, self._banner_seconds, login_seconds, self.request.selinux)
        evidence = read_evidence(answers, self.secret, clock, context)
        checks = tuple(check for check in evidence.checks if first or check.name not in _ONCE)
        failed = [f"{check.name}: {check.detail}" for check in checks if not check.passed]
        if failed:
            raise WorkbookError(
                f"{variant.variant}: proof of life failed after {self._last_step()}: {'; '.join(failed)}",
                hint="run again to retry the update",
                log=last_lines(read_console(self.guest.console)),
            )
        return UpdateBoot(checks=checks, failed_units=evidence.failed_units, denials=evidence.denials)

    def administer(self, shell: Shell) -> None:
        """What an administrator does with version 1."""
        source, runtime = self.request.versions.commands.source, self.request.variant.runtime
        program = program_text(__file__, "programs/administer", SOURCE=source, RUNTIME=runtime, CONTAINER=CONTAINER)
        shell.run(program, timeout_seconds=_STEP_SECONDS)

    def look(self, shell: Shell) -> GuestState:
        """What the guest shows of itself now."""
        runtime, names = self.request.variant.runtime, " ".join(ETC_FILES)
        program = program_text(__file__, "programs/look", MODE=MODE_COMMAND, RUNTIME=runtime, NAMES=names,
                               NEVRA=NEVRA_FORMAT)  # fmt: skip
        return read_state(shell.run(program, timeout_seconds=_STEP_SECONDS).stdout)

    def step(self, shell: Shell, name: StepName, command: str) -> None:
        """Take a step by a command of the guest. Raises CommandError, with what it said, if it fails."""
        self._began = time.monotonic()
        shell.run(command, timeout_seconds=_STEP_SECONDS)
        self._took(name)

    def priced_step(self, shell: Shell, name: StepName, command: str) -> None:
        """Take a step as ``step`` does, between two syncs, and note what it wrote and used."""
        before = self._usage(shell)
        self.step(shell, name, command)
        self.steps[-1] = self.steps[-1].model_copy(update={"before": before, "after": self._usage(shell)})

    def reboot(self, shell: Shell) -> None:
        """Have the guest reboot itself; it is on its way down on return."""
        self._began = time.monotonic()
        shell.run("systemctl reboot", timeout_seconds=_STEP_SECONDS)
        wait_for_silence(self.guest, self.patience())

    def patience(self, limit_seconds: float | None = None) -> Deadline:
        """Raises once the time limit (None: that of a boot) is over or the guest is dead."""
        variant, guest = self.request.variant, self.guest
        limit_seconds = limit_seconds or variant.boot_timeout_seconds
        patience = Patience(limit_seconds)

        def check() -> None:
            console = guest.require_running() if self.enduring else guest.require_alive()
            reached(f"{console_milestone(console)}, after {self._last_step()}")
            if patience.is_over():
                raise WorkbookError(
                    f"{variant.variant}: no ssh login, or no Docker, within {limit_seconds:g} s"
                    f" after {self._last_step()}",
                    hint="boot_timeout_seconds gives a slow host more time",
                    log=last_lines(read_console(self.guest.console)),
                )

        return check

    def wait_for_docker(self, shell: Shell) -> None:
        """Note in the last step, a reboot, when Docker answered. Raises WorkbookError once the time limit is over."""
        if self.request.variant.runtime != "docker":
            return
        check = self.patience()
        while not _docker_answers(shell):
            check()
            time.sleep(_POLL_SECONDS)
        seconds = time.monotonic() - self._began
        self.steps[-1] = self.steps[-1].model_copy(update={"docker_seconds": round(seconds, 3)})

    def _usage(self, shell: Shell) -> GuestUsage | None:
        return read_usage(shell.run(program_text(__file__, "programs/usage"), timeout_seconds=_STEP_SECONDS).stdout)

    def _took(self, name: StepName) -> None:
        seconds = time.monotonic() - self._began
        self.steps.append(UpdateStep(name=name, seconds=seconds, download=figures_of(self.log.take())))

    def _last_step(self) -> str:
        return self.steps[-1].name if self.steps else "the first boot"


def _docker_answers(shell: Shell) -> bool:
    try:
        shell.run("docker version", timeout_seconds=_STEP_SECONDS)
    except CommandError:
        return False
    return True
