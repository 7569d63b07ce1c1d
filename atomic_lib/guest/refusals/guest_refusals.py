"""The stage in which one running guest of version 1 is offered updates with faults, and then takes the good one."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Model, read_model
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.compose.remote import KEY_FILE, commit_key
from atomic_lib.compose.update.update_repository import make_update_repository
from atomic_lib.guest.programs import program_text
from atomic_lib.guest.refusals.case_evidence import CaseResult
from atomic_lib.guest.refusals.case_runner import CaseRunner
from atomic_lib.guest.refusals.faulty_repositories import SignedUpdate, make_faulty_repositories
from atomic_lib.guest.refusals.update_client import UpdateClient
from atomic_lib.guest.update.guest_update import GuestUpdateRequest, Story, begin_story
from atomic_lib.guest.update.repository_server import Site
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.update.update_evidence import GuestState, UpdateBoot
from atomic_lib.guest.vm.qemu import Disk
from atomic_lib.guest.vm.ssh import Shell
from atomic_lib.image.sysroot import STATEROOT
from atomic_lib.tools.context import Context

_REFUSALS = "refusals.json"
_AS_WRITER = "unshare --mount sh -c 'mount -o remount,rw /sysroot && exec \"$@\"' --"
"""/sysroot is mounted read-only; ostree, too, mounts it anew for itself."""


@dataclass(frozen=True)
class GuestRefusalsRequest:
    """The guest and both versions; ``cases``: names in ``CASES``, in their order."""

    update: GuestUpdateRequest
    versions: UpdateVersions
    cases: tuple[str, ...]


class UpgradedTwice(Model):
    """Two upgrades at once: what they ended with and said, the deployments then, and what ``ostree fsck`` says."""

    status: int
    said: str
    deployments: tuple[str, ...]
    fsck_status: int
    fsck: str


class GuestRefusals(Model):
    """What a guest made of each case, and of the good version 2 in the end.

    ``states`` and ``boots``: of version 1 before all cases, and of version 2 after them. ``unhurt``: version 1's state
    after all cases.
    """

    results: tuple[CaseResult, ...]
    twice: UpgradedTwice
    states: tuple[GuestState, GuestState]
    unhurt: GuestState
    boots: tuple[UpdateBoot, UpdateBoot]


def refuse_in_guest(request: GuestRefusalsRequest, context: Context) -> GuestRefusals:
    """What a guest made of the cases; made first if it is not in the store.

    Raises WorkbookError if a proof of life fails, CommandError if the guest cannot be asked.
    """
    path = GUEST_REFUSALS.get(request, context).path / _REFUSALS
    return read_model(GuestRefusals, path, hint="./workbook clean damaged")


def _inputs(request: GuestRefusalsRequest, context: Context) -> dict[str, object]:
    return {
        **request.update.key_inputs(context),
        "commits": request.versions.identities,
        "cases": list(request.cases),
    }


def _make(request: GuestRefusalsRequest, context: Context, directory: Path) -> None:
    tools, variant, versions = context.tools, request.update.variant, request.versions
    with context.store.scratch("guest-refusals") as scratch:
        served = scratch / "served"
        make_update_repository(tools, served, (versions.before, versions.after))
        key = commit_key(tools, variant, versions.before.ref, scratch)
        signed = SignedUpdate(versions.before, versions.after, served, key, variant.source_date_epoch)
        repositories, site = make_faulty_repositories(signed, tools, scratch), Site(served)
        disk = Disk(request.update.image.qcow2, "qcow2")
        update = replace(request.update, repository=served)
        with (
            machine_lock(context.cache, GUEST_REFUSALS.title(request)),
            begin_story(update, context, directory, disk, site=site) as story,
        ):
            found = tell_refusals(story, lambda client: CaseRunner(client, site, signed, repositories), request.cases)
    write_text(directory / _REFUSALS, found.model_dump_json(indent=1) + "\n")


GUEST_REFUSALS = Stage(
    "guest-refusals",
    _make,
    _inputs,
    title=lambda request: f"{request.update.variant.variant}: offer a guest updates with faults",
    space_bytes=4_000_000_000,
    quiet=True,
)


def tell_refusals(
    story: Story, runner_of: Callable[[UpdateClient], CaseRunner], cases: tuple[str, ...]
) -> GuestRefusals:
    """The whole way of the guest; ``runner_of`` gives a machine what it is offered."""
    with story.boot() as shell:
        first = story.prove(shell)
        story.administer(shell)
        before = story.look(shell)
        client = guest_client(story, shell)
        results = runner_of(client).run_all(cases)
        unhurt = story.look(shell)
        twice = upgrade_twice(client)
        story.reboot(shell)
    with story.after("reboot") as shell:
        story.wait_for_docker(shell)
        second = story.prove(shell)
        return GuestRefusals(
            results=results, twice=twice, states=(before, story.look(shell)), unhurt=unhurt, boots=(first, second)
        )


def guest_client(story: Story, shell: Shell) -> UpdateClient:
    """The guest, as it is logged in to."""
    return UpdateClient(
        run=lambda command: story.run(shell, command), stateroot=STATEROOT, key=f"/{KEY_FILE}", as_writer=_AS_WRITER
    )


def upgrade_twice(client: UpdateClient) -> UpgradedTwice:
    """Have two administrators upgrade at once, and look whether the repository is whole."""
    command = shlex.join(["ostree", "admin", "upgrade", f"--os={client.stateroot}"])
    both = client.attempt(program_text(__file__, "programs/twice", COMMAND=command))
    fsck = client.attempt("ostree fsck --quiet")
    return UpgradedTwice(
        status=both.status, said=both.words, deployments=client.state().deployments, fsck_status=fsck.status,
        fsck=fsck.words,
    )  # fmt: skip
