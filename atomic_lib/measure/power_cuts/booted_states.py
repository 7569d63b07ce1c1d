"""The stage that boots a state, to see whether the machine does what the check says."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.model import Count, Model, SelinuxMode, read_model
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.formats.disk.extents import allocated_ranges
from atomic_lib.formats.disk_states.cut_points import CutKind
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState
from atomic_lib.guest.boot_stages import accelerator_of
from atomic_lib.guest.evidence.console_milestones import console_milestone
from atomic_lib.guest.power_cuts.upgrade_recording import StepOfUpgrade
from atomic_lib.guest.update.guest_update import GuestUpdateRequest, begin_story
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.update.update_evidence import read_state
from atomic_lib.guest.vm.data_source import Provisioning
from atomic_lib.guest.vm.host_load import Patience
from atomic_lib.guest.vm.qemu import Disk, Machine, read_console, start_guest
from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates, StatesRequest, files_of
from atomic_lib.measure.power_cuts.replay import CutVerdict, open_recording
from atomic_lib.measure.power_cuts.verdict import Outcome
from atomic_lib.params.variant import Variant
from atomic_lib.tools.context import Context

_BOOTED = "booted.json"
_LOADER_SECONDS = 120
"""How long the boot loader has to start a kernel where none is expected; it takes a tenth of it."""
_PROMPT = "grub>"
"""What GRUB shows once it has nothing to start."""
_POLL_SECONDS = 0.5
# The whole boot is over, the default target is reached (a unit that failed does not matter), and this is booted.
_REACHED = """
set -e
systemctl is-system-running --wait || true
systemctl --quiet is-active default.target
printf 'deployment %s\\n' "$(ostree admin status | sed -n 's/^\\* //p')"
"""
Found = Literal["version 1", "version 2", "no kernel started", "no proof of life"]
Proof = Literal["default target", "proof of life"]
"""What a machine that should come up must show: an ssh login once it has reached its default target, or all of it."""


class BootedState(Model):
    """A state that was booted: what the check expected, and what the machine did; ``said``: why it did not come up.

    ``proof``: what had to be shown, if it should come up.
    """

    step: StepOfUpgrade
    kind: CutKind
    request: Count
    kept: Count
    expected: Outcome
    proof: Proof
    found: Found
    said: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether the machine did what the check said."""
        return self.found == ("no kernel started" if self.expected == "unbootable" else self.expected)


@dataclass(frozen=True)
class BootedStateRequest:
    """The state of the cut ``number`` of those of ``states``, booted as ``variant`` says; ``cut``: its verdict.

    ``proof``: what must be shown if it should come up.
    """

    states: StatesRequest
    variant: Variant
    selinux: SelinuxMode
    versions: UpdateVersions
    number: int
    cut: CutVerdict
    proof: Proof


def boot_state(request: BootedStateRequest, context: Context) -> BootedState:
    """The booted state; booted first if it is not in the store."""
    path = BOOTED_STATE.get(request, context).path / _BOOTED
    return read_model(BootedState, path, hint="./workbook clean damaged")


def chosen_to_boot(states: PowerCutStates, count: int) -> list[int]:
    """The numbers of so many cuts, spread over the outcomes, the steps and the kinds of cuts; unbootable ones first."""
    groups: dict[Outcome, dict[tuple[str, str], list[int]]] = {"unbootable": {}}
    for number, cut in enumerate(states.cuts):
        groups.setdefault(cut.verdict.outcome, {}).setdefault((cut.step, cut.kind), []).append(number)
    by_outcome = (_in_turn([_from_the_middle(one) for one in found.values()]) for found in groups.values())
    return _in_turn([*by_outcome])[:count]


def _in_turn(lists: Sequence[Sequence[int]]) -> list[int]:
    """The first number of each list, then the second one of each, and so on."""
    return [number for turn in zip_longest(*lists) for number in turn if number is not None]


def _from_the_middle(numbers: Sequence[int]) -> list[int]:
    """The number in the middle, then those in the middle of both halves, and so on."""
    found, parts = list[int](), [(0, len(numbers))]
    for start, end in parts:  # which grows
        if start < end:
            middle = (start + end) // 2
            found.append(numbers[middle])
            parts += [(start, middle), (middle + 1, end)]
    return found


def _inputs(request: BootedStateRequest, context: Context) -> dict[str, object]:
    return {
        "recording": request.states.recorded.key,
        "states": request.states.states,
        "number": request.number,
        "proof": request.proof,
        "cpus": request.variant.guest_cpus,
        "accelerator": accelerator_of(request.variant, context),
    }


def _make(request: BootedStateRequest, context: Context, directory: Path) -> None:
    with machine_lock(context.cache, BOOTED_STATE.title(request)), context.store.scratch("booted-state") as scratch:
        raw = scratch / "disk.raw"
        files = files_of(request.states, context)
        with open_recording(files) as opened:
            states = enumerate(opened.states(request.states.states))
            state = next(state for number, (_, state) in states if number == request.number)
            write_state(raw, files.raw, state)
        cut = request.cut
        found, said = (_without_kernel if cut.verdict.outcome == "unbootable" else _alive)(
            request, context, directory, Disk(raw, "raw")
        )
    booted = BootedState(
        step=cut.step,
        kind=cut.kind,
        request=cut.request,
        kept=cut.kept,
        expected=cut.verdict.outcome,
        proof=request.proof,
        found=found,
        said=said,
    )
    write_text(directory / _BOOTED, booted.model_dump_json(indent=1) + "\n")


BOOTED_STATE = Stage(
    "booted-state",
    _make,
    _inputs,
    title=lambda request: f"{request.variant.variant}: boot after a power cut ({request.number})",
    space_bytes=3_000_000_000,
)


def write_state(path: Path, base: Path, state: DiskState) -> None:
    """Write a state of the disk ``base`` as a sparse file."""
    with open(path, "wb") as file, open(base, "rb") as source:
        file.truncate(len(state))
        for start, end in allocated_ranges(base):
            place = start
            while place < end:
                place += os.copy_file_range(source.fileno(), file.fileno(), end - place, place, place)
        for number in state.blocks:
            os.pwrite(file.fileno(), state.block(number), number * BLOCK_BYTES)


def _alive(request: BootedStateRequest, context: Context, directory: Path, disk: Disk) -> tuple[Found, str]:
    """Boot a machine that should come up, as a new instance, to its proof."""
    served = directory / "served"
    served.mkdir()
    update = GuestUpdateRequest(request.variant, request.selinux, request.states.image, request.versions, served)
    try:
        with begin_story(update, context, directory, disk) as story, story.boot() as shell:
            if request.proof == "proof of life":
                story.prove(shell)
            seconds = request.variant.boot_timeout_seconds
            commit = read_state(shell.run(_REACHED, timeout_seconds=seconds).stdout).commit
    except WorkbookError as error:
        return "no proof of life", f"{error.message}\n{last_lines(error.log)}"
    finally:
        served.rmdir()
    if commit == request.versions.before.commit:
        return "version 1", ""
    return ("version 2", "") if commit == request.versions.after.commit else ("no proof of life", f"commit {commit}")


def _without_kernel(request: BootedStateRequest, context: Context, directory: Path, disk: Disk) -> tuple[Found, str]:
    """Start a machine that should not get beyond its boot loader."""
    variant = request.variant
    machine = Machine("bios", accelerator_of(variant, context), variant.guest_cpus, variant.guest_memory_mib)
    patience = Patience(_LOADER_SECONDS)
    with start_guest(context.tools, disk, machine, Provisioning(), directory) as guest:
        while not patience.is_over() and _PROMPT not in read_console(guest.console):
            if console_milestone(read_console(guest.console)) != "firmware":
                return "no proof of life", "a kernel started"
            time.sleep(_POLL_SECONDS)
        return "no kernel started", last_lines(read_console(guest.console))
