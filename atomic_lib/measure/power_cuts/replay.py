"""All cut points of a recorded upgrade, and the verdict on each."""

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Count, Model
from atomic_lib.base.progress import reached
from atomic_lib.formats.disk.ext4_layout import Layout, read_layout
from atomic_lib.formats.disk.gpt import read_partition_table
from atomic_lib.formats.disk.raw_disk import map_file
from atomic_lib.formats.disk_states.cut_points import Cut, CutKind, Epoch, cuts_of, epochs_of, share_of
from atomic_lib.formats.disk_states.disk_state import DiskState, Recorded, Source, apply_requests
from atomic_lib.formats.disk_states.ext4_journal import Journal, open_journal
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.formats.disk_states.write_log import LoggedRequest, read_write_log
from atomic_lib.guest.power_cuts.upgrade_recording import StepOfUpgrade
from atomic_lib.measure.power_cuts.verdict import Checker, Moment, RecordedEnds, StateVerdict

_TOLD_EVERY = 50


class CutVerdict(Model):
    """A cut point and what it leaves.

    ``request``: the number of the flush that it comes after, counted from the start of the upgrade; ``kept``: how many
    of the requests between it and the next flush are on the disk.
    """

    step: StepOfUpgrade
    kind: CutKind
    request: Count
    kept: Count
    verdict: StateVerdict


@dataclass(frozen=True)
class RecordedFiles:
    """The files of a recorded upgrade: the disk before its log, and the log.

    ``steps``: the steps in their order, each with the bytes that the log had at its start.
    """

    raw: Path
    log: Path
    steps: Sequence[tuple[StepOfUpgrade, int]]


@dataclass(frozen=True)
class OpenedRecording:
    """A recorded upgrade while its files are open; ``steps``: each with its first request."""

    name: str
    recorded: Recorded
    requests: tuple[LoggedRequest, ...]
    steps: Sequence[tuple[StepOfUpgrade, int]]
    layout: Layout
    journal: Journal

    @property
    def begin(self) -> int:
        """The request with which the upgrade begins."""
        return self.steps[0][1]

    @property
    def ends(self) -> RecordedEnds:
        """The disk when the upgrade begins, and when the guest has powered off."""
        moments = (self._moment(count) for count in (self.begin, len(self.requests)))
        return RecordedEnds(self.name, self.layout, self.journal, *moments)

    def _moment(self, count: int) -> Moment:
        blocks: dict[int, Source] = {}
        apply_requests(self.recorded, blocks, self.requests[:count])
        blocks |= self.journal.replay(DiskState(self.recorded, blocks))
        return Moment(FileView(DiskState(self.recorded, blocks), self.layout), blocks)

    @property
    def epochs(self) -> list[Epoch]:
        """The epochs of the upgrade."""
        return epochs_of(self.requests, self.begin)

    def step_of(self, request: int) -> StepOfUpgrade:
        """The step in which a request was made."""
        return self.steps[bisect_right([first for _, first in self.steps], request) - 1][0]

    def states(self, count: int) -> Iterator[tuple[Cut, DiskState]]:
        """Each cut with the state that it leaves: all at a flush, and others, in all about ``count``.

        No epoch has more of the others than another one that has as many.
        """
        epochs = self.epochs
        durable: dict[int, Source] = {}
        done = 0
        for cut in cuts_of(self.requests, epochs, share_of(self.requests, epochs, count)):
            if cut.epoch.start > done:
                apply_requests(self.recorded, durable, self.requests[done : cut.epoch.start])
                done = cut.epoch.start
            blocks = dict(durable)
            apply_requests(self.recorded, blocks, cut.kept)
            yield cut, DiskState(self.recorded, blocks)


@contextmanager
def open_recording(files: RecordedFiles) -> Iterator[OpenedRecording]:
    """Open a recorded upgrade.

    Raises WorkbookError if one of the files is damaged.
    """
    with map_file(files.raw) as disk, map_file(files.log) as data:
        root = next((one for one in read_partition_table(disk, str(files.raw)).partitions if one.name == "root"), None)
        if root is None:
            raise WorkbookError(f"{files.raw}: no partition named root: not a disk image of this workbook")
        layout = read_layout(disk, root.start, root.end, str(files.raw))
        log = read_write_log(data, str(files.log))
        recorded = Recorded(disk, data)
        journal = open_journal(DiskState(recorded, {}), layout)
        steps = [(step, log.index_at(log_bytes)) for step, log_bytes in files.steps]

        yield OpenedRecording(str(files.log), recorded, log.requests, steps, layout, journal)


def check_cuts(opened: OpenedRecording, checker: Checker, count: int) -> Iterator[CutVerdict]:
    """The verdicts on the cuts of a recording, in the order of the log; about ``count`` of them."""
    began = time.monotonic()
    for number, (cut, state) in enumerate(opened.states(count)):
        if number and not number % _TOLD_EVERY:
            reached(f"{number} states, {60 * number / (time.monotonic() - began):.0f} a minute")
        yield CutVerdict(
            step=opened.step_of(cut.epoch.start),
            kind=cut.kind,
            request=cut.epoch.start - opened.begin,
            kept=len(cut.kept),
            verdict=checker.check(state),
        )
