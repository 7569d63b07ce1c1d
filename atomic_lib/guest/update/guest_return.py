"""The stage in which a guest is updated to a version 2 that does not come up, and goes back to version 1 by itself.

GRUB counts the boots, and the image's own health check decides: nothing here intervenes after the first reboot, until
the guest says that what it runs is proven. See the part ``automatic-return``.
"""

import re
import shlex
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.files import write_text
from atomic_lib.base.model import Count, Model, WallSeconds, read_model
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.compose.remote import REMOTE
from atomic_lib.compose.update.update_repository import make_update_repository
from atomic_lib.guest.update.guest_update import GuestUpdateRequest, Story, begin_story
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.update.update_evidence import GuestState, UpdateBoot
from atomic_lib.guest.vm.qemu import Disk
from atomic_lib.guest.vm.ssh import Deadline
from atomic_lib.tools.context import Context

CHECK_LIMIT_SECONDS = 3600
"""How long a boot of a trial may take, to the end of its last check: LIMIT_SECONDS of automatic-return.service."""
_RETURN, _SERVED = "return.json", "served"
_PROVEN_SECONDS = 2400
_WAIT_UNTIL_PROVEN = "until /usr/libexec/automatic-return proven; do sleep 1; done"
_BOOTING = re.compile(r"Booting `[^\n]*\(ostree:(\d+)\)")
_SAID = re.compile(r"(?:automatic-return: |Kernel panic - not syncing)[^\n]*")


@dataclass(frozen=True)
class GuestReturnRequest:
    """How to update a guest: the image of version 1 in ``update``, both versions, and ``fault``: what version 2 has.

    ``kernel_arguments``: those that are deployed with version 2, in place of others of the same name.
    """

    update: GuestUpdateRequest
    versions: UpdateVersions
    fault: str
    kernel_arguments: tuple[str, ...] = ()


class GuestReturn(Model):
    """What became of a guest after it rebooted into version 2.

    ``entries``: of each boot, the entry that GRUB chose, 0 being the default. ``seconds``: of wall-clock time, from the
    command to reboot until a login in which the guest is proven, at most ``limit_seconds``. ``said``: what the kernel
    and the health check wrote to the console. ``state`` and ``boot``: of the version that runs then.
    """

    fault: str
    trial_boots: Count
    entries: tuple[Count, ...]
    seconds: WallSeconds
    limit_seconds: WallSeconds
    said: tuple[str, ...]
    state: GuestState
    boot: UpdateBoot


def return_guest(request: GuestReturnRequest, context: Context) -> GuestReturn:
    """What becomes of a guest with this version 2; made first if it is not in the store.

    Raises WorkbookError if the guest is not proven within the time limit, or a proof of life fails.
    """
    path = GUEST_RETURN.get(request, context).path / _RETURN
    return read_model(GuestReturn, path, hint="./workbook clean damaged")


def limit_seconds(request: GuestReturnRequest) -> float:
    """The time limit: each boot of the trial may take its own, and version 1 boots once more."""
    variant = request.update.variant
    return variant.automatic_return * CHECK_LIMIT_SECONDS + variant.boot_timeout_seconds


def booted_entries(console: str) -> tuple[int, ...]:
    """The entries that GRUB chose, boot by boot, by the console of all boots."""
    return tuple(int(found) for found in _BOOTING.findall(console))


def _inputs(request: GuestReturnRequest, context: Context) -> dict[str, object]:
    versions = request.versions
    return {
        **request.update.key_inputs(context),
        "commits": [versions.before.commit, versions.after.commit],
        "kernel_arguments": list(request.kernel_arguments),
        "fault": request.fault,
    }


def _make(request: GuestReturnRequest, context: Context, directory: Path) -> None:
    served = directory / _SERVED
    update = replace(request.update, repository=served)
    make_update_repository(context.tools, served, (request.versions.before, request.versions.after))
    disk = Disk(update.image.qcow2, "qcow2")
    with (
        machine_lock(context.cache, GUEST_RETURN.title(request)),
        begin_story(update, context, directory, disk) as story,
    ):
        found = tell_return(story, request)
    shutil.rmtree(served)
    write_text(directory / _RETURN, found.model_dump_json(indent=1) + "\n")


GUEST_RETURN = Stage(
    "guest-return",
    _make,
    _inputs,
    title=lambda request: f"{request.update.variant.variant}: update a guest to a version 2 with {request.fault}",
    space_bytes=3_000_000_000,
    quiet=True,
)


def tell_return(story: Story, request: GuestReturnRequest) -> GuestReturn:
    """The whole way of the guest: version 1, the update, and whatever it does then."""
    with story.boot() as shell:
        story.prove(shell)
        story.administer(shell)
        shell.run(_WAIT_UNTIL_PROVEN, timeout_seconds=_PROVEN_SECONDS)
        story.step(shell, "download", "ostree admin upgrade --pull-only")
        story.step(shell, "deploy", _deploy_command(request))
        before, began = len(story.guest.require_alive()), time.monotonic()
        story.reboot(shell)
    story.enduring = True
    check = story.patience(limit_seconds(request))
    while (settled := _settled(story, check)) is None:
        check()
    at, state, boot = settled
    console = story.guest.require_running()[before:]
    return GuestReturn(
        fault=request.fault,
        trial_boots=request.update.variant.automatic_return,
        entries=booted_entries(console),
        seconds=at - began,
        limit_seconds=limit_seconds(request),
        said=tuple(_SAID.findall(console)),
        state=state,
        boot=boot,
    )


def _deploy_command(request: GuestReturnRequest) -> str:
    """Deploys what was pulled: as an upgrade, or as an administrator does who sets kernel arguments."""
    if not request.kernel_arguments:
        return "ostree admin upgrade --deploy-only"
    arguments = [f"--karg={argument}" for argument in request.kernel_arguments]
    return shlex.join(["ostree", "admin", "deploy", *arguments, f"{REMOTE}:{request.versions.after.ref}"])


def _settled(story: Story, check: Deadline) -> tuple[float, GuestState, UpdateBoot] | None:
    """When the guest was proven, by time.monotonic, and what it shows then; None if it restarted instead."""
    with story.boot(check=check) as shell:
        try:
            shell.run(_WAIT_UNTIL_PROVEN, timeout_seconds=_PROVEN_SECONDS)
        except CommandError:
            return None
        at = time.monotonic()
        return at, story.look(shell), story.prove(shell)
