"""All cut points of a recorded upgrade, and the verdict on each."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Count, Model, WallSeconds
from atomic_lib.formats.disk.ext4_layout import read_layout
from atomic_lib.formats.disk.gpt import read_partition_table
from atomic_lib.formats.disk.raw_disk import map_file
from atomic_lib.formats.disk_states.cut_points import Cut, CutKind, Epoch, cuts_of, epochs_of
from atomic_lib.formats.disk_states.disk_state import DiskState, Recorded, Source, apply_requests
from atomic_lib.formats.disk_states.ext4_journal import open_journal
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.formats.disk_states.write_log import Request, read_write_log
from atomic_lib.measure.power_cuts.state_check import StateChecker, StateVerdict
from atomic_lib.measure.power_cuts.versions import whole_version
from atomic_lib.measure.power_cuts.whole_tree import whole_tree

_GRUB_CONFIGURATION = "/boot/grub/grub.cfg"


class CutVerdict(Model):
    """A cut point and what it leaves; ``request``: the number of the flush in the log that it comes after."""

    kind: CutKind
    request: Count
    kept: Count
    verdict: StateVerdict


class Replay(Model):
    """The verdicts on all cut points of a recorded upgrade, in the order of the log."""

    cuts: tuple[CutVerdict, ...]
    flushes: Count
    requests: Count
    objects: tuple[Count, Count]
    """How many objects each version has, all checked by their checksums."""
    prepare_seconds: WallSeconds
    check_seconds: WallSeconds


@dataclass(frozen=True)
class OpenedRecording:
    """A recorded upgrade while its files are open; the upgrade begins with request ``begin``."""

    recorded: Recorded
    requests: tuple[Request, ...]
    begin: int
    checker: StateChecker

    @property
    def epochs(self) -> list[Epoch]:
        """The epochs of the upgrade."""
        return epochs_of(self.requests, self.begin)

    def states(self, between: int) -> Iterator[tuple[Cut, DiskState]]:
        """Each cut with the state that it leaves: all at a flush, and at most ``between`` others of each epoch."""
        durable: dict[int, Source] = {}
        done = 0
        for cut in cuts_of(self.requests, self.epochs, between):
            if cut.epoch.start > done:
                apply_requests(self.recorded, durable, self.requests[done : cut.epoch.start])
                done = cut.epoch.start
            blocks = dict(durable)
            apply_requests(self.recorded, blocks, cut.kept)
            yield cut, DiskState(self.recorded, blocks)


@contextmanager
def open_recording(
    raw: Path, log: Path, begin_bytes: int, commits: tuple[str, str], kept: tuple[str, ...]
) -> Iterator[OpenedRecording]:
    """Open a recorded upgrade: the disk before its log, and the log, which had ``begin_bytes`` when it began.

    ``commits``: of version 1 and version 2. ``kept``: the files of /var that must be whole.
    Raises WorkbookError if one of the files is damaged, or a version is not whole where it should be.
    """
    with map_file(raw) as disk, map_file(log) as data:
        root = next((one for one in read_partition_table(disk, str(raw)).partitions if one.name == "root"), None)
        if root is None:
            raise WorkbookError(f"{raw}: no partition named root: not a disk image of this workbook")
        layout = read_layout(disk, root.start, root.end, str(raw))
        requests = read_write_log(data, str(log))
        recorded = Recorded(disk, data)
        journal = open_journal(DiskState(recorded, {}), layout)
        begin = requests.index_at(begin_bytes)

        def mounted(count: int) -> tuple[FileView, dict[int, Source]]:
            blocks: dict[int, Source] = {}
            apply_requests(recorded, blocks, requests.requests[:count])
            blocks |= journal.replay(DiskState(recorded, blocks))
            return FileView(DiskState(recorded, blocks), layout), blocks

        first, last = mounted(begin), mounted(len(requests.requests))
        versions = (whole_version("version 1", commits[0], *first), whole_version("version 2", commits[1], *last))
        missing = [path for path in kept if first[0].lookup(path) is None]
        configuration = first[0].text(_GRUB_CONFIGURATION)
        if missing or configuration is None:
            raise WorkbookError(f"{log}: not there when the upgrade begins: {[*missing, _GRUB_CONFIGURATION][0]}")
        checker = StateChecker(layout, journal, versions, whole_tree(*first, kept), configuration)
        yield OpenedRecording(recorded, requests.requests, begin, checker)


def replay(opened: OpenedRecording, between: int, *, prepare_seconds: float, tell: Callable[[str], None]) -> Replay:
    """Check all cuts of a recording; ``tell`` is called with the progress now and then."""
    began, verdicts = time.monotonic(), list[CutVerdict]()
    for cut, state in opened.states(between):
        verdict = opened.checker.check(state)
        verdicts.append(CutVerdict(kind=cut.kind, request=cut.epoch.start, kept=len(cut.kept), verdict=verdict))
        if not len(verdicts) % 100:
            tell(f"{len(verdicts)} states")
    counts = [version.object_count for version in opened.checker.versions]
    return Replay(
        cuts=tuple(verdicts),
        flushes=len(opened.epochs),
        requests=len(opened.requests) - opened.begin,
        objects=(counts[0], counts[1]),
        prepare_seconds=prepare_seconds,
        check_seconds=time.monotonic() - began,
    )
