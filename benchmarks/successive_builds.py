"""Variants built one after another from an empty store, then the first one again, then with a package more.

Each build (resolve, compose, disk image; no boot) runs in a process of its own, so it finds what
earlier builds left in the store and nothing in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

from atomic_lib.base.paths import cache_directory
from atomic_lib.base.progress import step
from atomic_lib.base.store import Store
from atomic_lib.image.uncompressed_disk import remove_raw_disks
from benchmarks.builds import CHANGED, FIRST, REQUESTS, SCRATCH, STAGES, BuildRequest, build, prepare
from benchmarks.cost import Cost, in_own_process, together
from benchmarks.disk_usage import new_bytes
from benchmarks.measured import Column, MeasuredTable, Source, Value


@dataclass(frozen=True)
class TimedBuild:
    """One build. ``disk_bytes``: what it added to the store, by stage."""

    title: str
    stages: Mapping[str, Cost]
    disk_bytes: Mapping[str, int]

    @property
    def whole(self) -> Cost:
        """All stages together."""
        return together(*self.stages.values())


def build_in_succession(timeout_seconds: float, source: Source) -> list[MeasuredTable]:
    """The tables of cost and of disk space."""
    store = SCRATCH / "successive"
    store.mkdir(parents=True)
    known: set[tuple[int, int]] = set()
    timed = partial(_timed, store=store, known=known, timeout_seconds=timeout_seconds)
    in_own_process(timeout_seconds, prepare, (*REQUESTS, CHANGED), store)
    new_bytes(cache_directory(), known)  # the RPMs of a set are links to the cache's
    first = [timed(request) for request in REQUESTS]
    again = timed(BuildRequest("nothing changed", FIRST.variant, FIRST.overrides))
    changed = timed(CHANGED)
    return [cost_table(first, [again, changed], source), disk_table(first, source)]


def _timed(request: BuildRequest, *, store: Path, known: set[tuple[int, int]], timeout_seconds: float) -> TimedBuild:
    with step(f"benchmark: {request.title}"):
        stages = in_own_process(timeout_seconds, build, request, store)
    remove_raw_disks(Store(store))  # as the end of a run does
    return TimedBuild(request.title, stages, new_bytes(store, known))


def cost_table(builds: Sequence[TimedBuild], again: Sequence[TimedBuild], source: Source) -> MeasuredTable:
    """The cost of each build, and its compose relative to that of the first build.

    ``again``: builds of the first variant after all others.
    """
    first = builds[0].stages["compose"].wall_seconds
    titles = [one.title for one in builds] + [f"{builds[0].title} again, {one.title}" for one in again]
    rows: list[tuple[Value, ...]] = [
        (
            title,
            *(one.stages[stage].wall_seconds for stage in STAGES),
            100 * one.stages["compose"].wall_seconds / first,
            *astuple(one.whole),
        )
        for title, one in zip(titles, [*builds, *again], strict=True)
    ]
    return MeasuredTable(
        name="successive-builds",
        caption="Cost of variants built one after another from an empty store",
        source=source,
        columns=(
            Column(title="variant"),
            *(Column(title=stage, format="seconds") for stage in STAGES),
            Column(title="compose, relative to the first", format="percent"),
            Column(title="all stages", format="seconds"),
            Column(title="processor time", format="seconds"),
            Column(title="memory of the largest process", format="memory"),
        ),
        rows=tuple(rows),
    )


def disk_table(builds: Sequence[TimedBuild], source: Source) -> MeasuredTable:
    """The disk space that each build adds to the store, by stage; hard links count once."""
    stages = sorted({stage for one in builds for stage in one.disk_bytes})
    rows: list[tuple[Value, ...]] = [
        (one.title, *(one.disk_bytes.get(stage, 0) for stage in stages), sum(one.disk_bytes.values())) for one in builds
    ]
    return MeasuredTable(
        name="disk-space",
        caption="Disk space that each variant adds to the store (what variants share counts for the first; RPMs are "
        "in the cache)",
        source=source,
        columns=(Column(title="variant"), *(Column(title=name, format="bytes") for name in (*stages, "all"))),
        rows=tuple(rows),
    )
