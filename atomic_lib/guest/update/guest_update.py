"""The stage that takes a running guest of version 1 to version 2 and back: check, download, deploy, reboot, rollback.

The guest has one instance, and reboots by itself. Each of its three boots passes a proof of life. User-data runs on the
first boot of an instance only, so what it shows is not asked for later.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.files import write_text
from atomic_lib.base.model import read_model
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.guest.evidence.denials import MODE_COMMAND
from atomic_lib.guest.evidence.guest_queries import CONTAINER, Secret
from atomic_lib.guest.guest_session import COMMAND_SECONDS, Session, SessionRequest, begin_session
from atomic_lib.guest.programs import program_text
from atomic_lib.guest.update.repository_server import ServerLog, Site, serve_to_guest
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
from atomic_lib.guest.vm.qemu import Disk, Guest
from atomic_lib.guest.vm.ssh import Key, Shell
from atomic_lib.tools.context import Context

_UPDATE = "update.json"
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class GuestUpdateRequest(SessionRequest):
    """The image of version 1 to boot, and the versions.

    ``repository``: the directory that the server has, with what the commands of the versions ask for.
    """

    versions: GuestVersions
    repository: Path
    updates: bool = field(default=True, kw_only=True)


def update_guest(request: GuestUpdateRequest, context: Context) -> GuestUpdate:
    """The update of a guest and its rollback; made first if it is not in the store.

    Raises WorkbookError if a step or a proof of life fails, with the guest's own words as its log.
    """
    path = GUEST_UPDATE.get(request, context).path / _UPDATE
    return read_model(GuestUpdate, path, hint="./workbook clean damaged")


def _inputs(request: GuestUpdateRequest, context: Context) -> dict[str, object]:
    versions = request.versions
    return {
        **request.key_inputs(context),
        "versions": versions.identities,
        "commands": asdict(versions.commands),
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
def begin_story(
    request: GuestUpdateRequest, context: Context, directory: Path, disk: Disk, *, site: Site | None = None
) -> Iterator["Story"]:
    """A guest on its first boot as a new instance, with its server of updates; gone after the block.

    ``site``: what the server has; None: the repository of the request.
    """
    site = site or Site(request.repository)

    log = site.log

    def begin(guest: Guest, key: Key, secret: Secret) -> Story:
        return Story(request, context, guest, key, secret, log)

    with serve_to_guest(site, directory), begin_session(begin, request, context, directory, disk=disk) as story:
        yield story


def tell(story: "Story") -> GuestUpdate:
    """The whole way of the guest."""
    commands = story.request.versions.commands
    with story.boot() as shell:
        first = story.prove(shell)
        story.administer(shell)
        before = story.look(shell)
        for name, command in commands.steps:
            story.priced_step(shell, name, command)
        deployed = story.look(shell)
        story.reboot(shell)
    with story.after("reboot") as shell:
        story.wait_for_docker(shell)
        second = story.prove(shell)
        after = story.look(shell)
        story.priced_step(shell, "rollback", commands.rollback)
        story.reboot(shell)
    with story.after("reboot back") as shell:
        story.wait_for_docker(shell)
        third = story.prove(shell)
        back = story.look(shell)
    return GuestUpdate(
        steps=tuple(story.steps), states=(before, after, back), deployed=deployed, boots=(first, second, third)
    )


@dataclass
class Story(Session):
    """A guest on its way; ``steps``: those that it has taken."""

    request: GuestUpdateRequest
    log: ServerLog
    steps: list[UpdateStep] = field(default_factory=list)
    _began: float = field(default=0.0, init=False)

    @property
    def last_step(self) -> str:
        """The step that it has taken last, for messages."""
        return self.steps[-1].name if self.steps else "the first boot"

    @contextmanager
    def after(self, reboot: StepName) -> Iterator[Shell]:
        """A login, as soon as the guest is up, with which the step ``reboot`` is over."""
        with self.boot() as shell:
            self._took(reboot)
            yield shell

    def prove(self, shell: Shell) -> UpdateBoot:
        """The proof of life of this boot. Raises WorkbookError naming the checks that failed."""
        evidence = self.show_life(shell)
        return UpdateBoot(checks=evidence.checks, failed_units=evidence.failed_units, denials=evidence.denials)

    def administer(self, shell: Shell) -> None:
        """What an administrator does with version 1."""
        source, runtime = self.request.versions.commands.source, self.request.variant.runtime
        program = program_text(__file__, "programs/administer", SOURCE=source, RUNTIME=runtime, CONTAINER=CONTAINER)
        self.run(shell, program)

    def look(self, shell: Shell) -> GuestState:
        """What the guest shows of itself now."""
        runtime, names = self.request.variant.runtime, " ".join(ETC_FILES)
        program = program_text(__file__, "programs/look", MODE=MODE_COMMAND, RUNTIME=runtime, NAMES=names,
                               NEVRA=NEVRA_FORMAT)  # fmt: skip
        return read_state(self.run(shell, program))

    def step(self, shell: Shell, name: StepName, command: str) -> None:
        """Take a step by a command of the guest. Raises CommandError, with what it said, if it fails."""
        self._began = time.monotonic()
        self.run(shell, command)
        self._took(name)

    def priced_step(self, shell: Shell, name: StepName, command: str) -> None:
        """Take a step as ``step`` does, between two syncs, and note what it wrote and used."""
        before = self._usage(shell)
        self.step(shell, name, command)
        self.steps[-1] = self.steps[-1].model_copy(update={"before": before, "after": self._usage(shell)})

    def reboot(self, shell: Shell) -> None:
        """Have the guest reboot itself; it is on its way down on return."""
        self._began = time.monotonic()
        super().reboot(shell)

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
        return read_usage(self.run(shell, program_text(__file__, "programs/usage")))

    def _took(self, name: StepName) -> None:
        seconds = time.monotonic() - self._began
        self.steps.append(UpdateStep(name=name, seconds=seconds, download=figures_of(self.log.take())))


def _docker_answers(shell: Shell) -> bool:
    try:
        shell.run("docker version", timeout_seconds=COMMAND_SECONDS)
    except CommandError:
        return False
    return True
