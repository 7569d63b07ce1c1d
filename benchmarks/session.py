"""Five variants from an empty store, one after the other; then again; then one of them changed.

Each is built (resolved, composed, made an image; not booted) in a process of its own, so that
what a variant finds made is what the store has, and not what is still in memory.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from atomic_lib.base.paths import cache_directory
from atomic_lib.base.progress import step
from benchmarks.candidates import CANDIDATES, CHANGED, FIRST, SCRATCH, Candidate, open_candidate
from benchmarks.cost import Cost, costed, in_own_process
from benchmarks.figures import Section, mebibytes, megabytes, new_bytes, seconds

STAGES = ("resolve", "compose", "image")


@dataclass(frozen=True)
class Build:
    """One build. ``process_seconds`` holds the start of Python too; ``disk_bytes``: what it added to the store."""

    title: str
    stages: Mapping[str, Cost]
    process_seconds: float
    disk_bytes: Mapping[str, int]

    @property
    def wall_seconds(self) -> float:
        """All stages together."""
        return sum(cost.wall_seconds for cost in self.stages.values())

    @property
    def cpu_seconds(self) -> float:
        """All stages together."""
        return sum(cost.cpu_seconds for cost in self.stages.values())

    @property
    def peak_bytes(self) -> int:
        """The memory of the largest process of all stages."""
        return max(cost.peak_bytes for cost in self.stages.values())


def build_in_one_session(timeout_seconds: float, candidates: Sequence[Candidate] = CANDIDATES) -> list[Section]:
    """All of ``candidates`` from an empty store, the first of them again, and with a package more."""
    store = SCRATCH / "session"
    store.mkdir(parents=True)
    known: set[tuple[int, int]] = set()
    timed = partial(_timed, store=store, known=known, timeout_seconds=timeout_seconds)
    in_own_process(timeout_seconds, prepare, candidates, store)
    new_bytes(cache_directory(), known)  # the RPMs of a set are links to the cache's
    first = [timed(candidate) for candidate in candidates]
    again = timed(Candidate("nothing changed", FIRST.variant, FIRST.overrides))
    changed = timed(CHANGED)
    return [cost_section(first), again_section([again, changed], first[0]), disk_section(first)]


def prepare(candidates: Sequence[Candidate], store: Path) -> None:
    """Tools tree and content, which are made once a machine and are not timed."""
    for candidate in candidates:
        _ = open_candidate(candidate, store).content


def build(candidate: Candidate, store: Path) -> dict[str, Cost]:
    """The stages of one build, each with its cost."""
    made = open_candidate(candidate, store)
    _ = made.content
    _, resolve = costed(lambda: made.rpm_set)
    _, compose = costed(lambda: (made.tree, made.footprint))
    _, image = costed(lambda: (made.image, made.image_footprint, made.labels))
    return dict(zip(STAGES, (resolve, compose, image), strict=True))


def _timed(candidate: Candidate, *, store: Path, known: set[tuple[int, int]], timeout_seconds: float) -> Build:
    started = time.monotonic()
    with step(f"benchmark: {candidate.title}"):
        stages = in_own_process(timeout_seconds, build, candidate, store)
    process_seconds = time.monotonic() - started
    return Build(candidate.title, stages, process_seconds, new_bytes(store, known))


def cost_section(builds: Sequence[Build]) -> Section:
    """What each variant costs after those before it, and its compose as a share of the first one's."""
    rows = []
    for build in builds:
        share = build.stages["compose"].wall_seconds / builds[0].stages["compose"].wall_seconds
        stages = (seconds(build.stages[stage].wall_seconds) for stage in STAGES)
        whole = (seconds(build.wall_seconds), seconds(build.cpu_seconds), mebibytes(build.peak_bytes))
        rows.append((build.title, *stages, f"{100 * share:.0f} %", *whole))
    header = ("variant, one after the other from an empty store", *STAGES, "compose, of the first one's", "all stages",
              "processor time", "largest process")  # fmt: skip
    return Section("Cost of the first and of each further variant", header, tuple(rows), {"variants": _data(builds)})


def again_section(builds: Sequence[Build], first: Build) -> Section:
    """What a further build of a variant that the store has costs."""
    rows = [
        (build.title, *(seconds(build.stages[stage].wall_seconds) for stage in STAGES), seconds(build.wall_seconds),
         seconds(build.process_seconds), f"{100 * build.wall_seconds / first.wall_seconds:.0f} %")
        for build in builds
    ]  # fmt: skip
    header = (f"{first.title} again", *STAGES, "all stages", "with the start of Python", "of its first build")
    return Section("The same variant again", header, tuple(rows), {"again": _data(builds)})


def disk_section(builds: Sequence[Build]) -> Section:
    """What each variant adds to the store, by stage, hard links once."""
    stages = sorted({stage for build in builds for stage in build.disk_bytes})
    rows = [
        (build.title, *(megabytes(build.disk_bytes.get(stage, 0)) for stage in stages),
         megabytes(sum(build.disk_bytes.values())))
        for build in builds
    ]  # fmt: skip
    sums = [sum(build.disk_bytes.get(stage, 0) for build in builds) for stage in stages]
    rows.append(("all", *map(megabytes, sums), megabytes(sum(sums))))
    title = "Disk that each variant adds to the store (what is shared counts for the first; RPMs are in the cache)"
    return Section(title, ("variant", *stages, "all"), tuple(rows), {})


def _data(builds: Sequence[Build]) -> list[dict[str, object]]:
    return [asdict(build) for build in builds]
