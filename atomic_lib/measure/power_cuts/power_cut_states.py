"""The stage that replays a recorded upgrade up to each cut point, and checks what a power cut there leaves."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Count, Model, WallSeconds, read_model
from atomic_lib.base.stage import Stage
from atomic_lib.formats.disk.raw_disk import open_raw_disk
from atomic_lib.guest.power_cuts.upgrade_recording import Control, RecordedUpgrade
from atomic_lib.image.disk import Image
from atomic_lib.measure.power_cuts.repair import Repair, Repairer
from atomic_lib.measure.power_cuts.replay import CutVerdict, OpenedRecording, RecordedFiles, check_cuts, open_recording
from atomic_lib.measure.power_cuts.verdict import CheckedVersions, Outcome
from atomic_lib.tools.context import Context

_STATES = "states.json"


class PowerCutStates(Model):
    """All states of a recorded upgrade that were checked.

    ``requests`` and ``flushes``: those of the upgrade; ``objects``: how many objects, or files of packages, of each
    version were checked where it must be whole. ``check_seconds``: how long the states took, without the preparation
    and the repairs.
    """

    control: Control
    requests: Count
    flushes: Count
    objects: tuple[Count, Count]
    cuts: tuple[CutVerdict, ...]
    check_seconds: WallSeconds
    repairs: tuple[Repair, ...]

    @property
    def states_a_minute(self) -> float:
        """How many states were checked a minute."""
        return 60 * len(self.cuts) / self.check_seconds if self.check_seconds else 0.0

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many states have each outcome."""
        return Counter(cut.verdict.outcome for cut in self.cuts)

    @property
    def damaged(self) -> tuple[CutVerdict, ...]:
        """The states in which something is not whole: unbootable, mixed, or damaged although they boot."""
        return tuple(cut for cut in self.cuts if cut.verdict.damage)

    @property
    def not_whole(self) -> tuple[CutVerdict, ...]:
        """The states that start one version, beside which something is not whole."""
        return tuple(cut for cut in self.damaged if cut.verdict.outcome in ("version 1", "version 2"))


@dataclass(frozen=True)
class StatesRequest:
    """A recorded upgrade from ``image``; ``states``: about how many to check; ``repairs``: how many to repair, too.

    ``name`` is for messages.
    """

    name: str
    image: Image
    recorded: RecordedUpgrade
    versions: CheckedVersions
    states: int
    repairs: int


def power_cut_states(request: StatesRequest, context: Context) -> PowerCutStates:
    """The checked states; checked first if they are not in the store.

    Raises WorkbookError if the recording is damaged, or a version is not whole when nothing was cut.
    """
    path = POWER_CUT_STATES.get(request, context).path / _STATES
    return read_model(PowerCutStates, path, hint="./workbook clean damaged")


def files_of(request: StatesRequest, context: Context) -> RecordedFiles:
    """The files of the recording."""
    recorded = request.recorded
    steps = [(mark.step, mark.log_bytes) for mark in recorded.recording.marks]
    return RecordedFiles(request.image.raw_disk(context), recorded.log, steps)


def _inputs(request: StatesRequest, _: Context) -> dict[str, object]:
    return {
        "recording": request.recorded.key,
        "versions": request.versions.inputs,
        "states": request.states,
        "repairs": request.repairs,
    }


def _make(request: StatesRequest, context: Context, directory: Path) -> None:
    with open_recording(files_of(request, context)) as opened:
        checker = request.versions.checker(opened.ends, context.tools)
        began = time.monotonic()
        cuts = tuple(check_cuts(opened, checker, request.states))
        seconds = time.monotonic() - began
        repairs = _repairs(request, opened, context, len(cuts))
        found = PowerCutStates(
            control=request.recorded.recording.control,
            requests=len(opened.requests) - opened.begin,
            flushes=sum(one.flushes for one in opened.requests[opened.begin :]),
            objects=checker.whole_counts,
            cuts=cuts,
            check_seconds=seconds,
            repairs=repairs,
        )
    write_text(directory / _STATES, found.model_dump_json(indent=1) + "\n")


POWER_CUT_STATES = Stage(
    "power-cut-states",
    _make,
    _inputs,
    title=lambda request: f"{request.name}: replay power cuts ({request.recorded.recording.control})",
    space_bytes=1_000_000_000,
)


def _repairs(request: StatesRequest, opened: OpenedRecording, context: Context, count: int) -> tuple[Repair, ...]:
    """What e2fsck makes of some of the ``count`` states, evenly spread."""
    chosen = {number * count // request.repairs for number in range(min(request.repairs, count))}
    raw = request.image.raw_disk(context)
    with context.store.scratch("repair") as scratch, open_raw_disk(raw) as disk:
        repairer = Repairer(context.tools, scratch, disk.files, opened.journal)
        return tuple(
            repairer.repair(state, cut.epoch.start - opened.begin)
            for number, (cut, state) in enumerate(opened.states(request.states))
            if number in chosen
        )
