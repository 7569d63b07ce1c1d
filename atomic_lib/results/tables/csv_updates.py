"""The tidy CSV tables of a study's updates; a run without updates has none of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from atomic_lib.guest.refusals.case_evidence import Attempt
from atomic_lib.guest.update.update_ways import UpdateWay
from atomic_lib.results.update.update_results import UpdateResult, UpdateResults

Row = tuple[object, ...]


def update_headers() -> dict[str, str]:
    """The header line of every table, by file name."""
    return {name: header for name, (header, _) in UPDATE_TABLES.items()}


def _ways(updates: UpdateResults) -> Iterator[Row]:
    for one in updates.updates:
        for way in one.ways:
            yield from ((one.variant, one.changes, way.name, *figures) for figures in _figures(way))


def _figures(way: UpdateWay) -> Iterator[Row]:
    """Each figure of a way: where it is from, requests and bytes."""
    if way.from_locks_bytes is not None:
        yield "locks", None, way.from_locks_bytes
    for source, figures in (("versions", way.predicted), ("loopback", way.loopback), ("guest", way.guest)):
        if figures:
            yield source, figures.requests, figures.bytes


def _steps(one: UpdateResult) -> Iterator[Row]:
    for step in one.guest.steps:
        used = (step.written_bytes, step.processor_seconds, step.after and step.after.disk_used_bytes)
        yield (
            one.variant, step.name, step.seconds, step.docker_seconds, step.download.requests, step.download.bytes,
            *used,
        )  # fmt: skip


def _power_cuts(updates: UpdateResults) -> Iterator[Row]:
    if found := updates.power_cuts:
        for recording in found.recordings:
            variant = found.packages if recording.control == "dnf" else found.variant
            for cut in recording.cuts:
                parts = ",".join(sorted({damage.part for damage in cut.verdict.damage}))
                yield variant, recording.control, cut.step, cut.kind, cut.request, cut.kept, cut.verdict.outcome, parts


def _returns(updates: UpdateResults) -> Iterator[Row]:
    if found := updates.returns:
        for one in found.outcomes:
            guest = one.guest
            boots = (guest.entries.count(0), guest.entries.count(1))
            yield found.variant, guest.fault, one.version, not one.problems, *boots, guest.seconds, guest.limit_seconds


def _refusals(updates: UpdateResults) -> Iterator[Row]:
    if found := updates.refusals:
        for one in found.guest.results:
            of_case = (found.variant, one.case, one.way, one.of.expected, not one.problems)
            yield (*of_case, *_attempt(one.first), *_attempt(one.repeat))


def _attempt(attempt: Attempt | None) -> Row:
    if attempt is None:
        return None, None, None, None
    return attempt.status, attempt.download.requests, attempt.download.bytes, attempt.objects


UPDATE_TABLES: Mapping[str, tuple[str, Callable[[UpdateResults], Iterable[Row]]]] = {
    "update_ways.csv": ("variant,changes,way,source,requests,bytes", _ways),
    "update_steps.csv": (
        "variant,step,seconds,docker_seconds,requests,bytes,written_bytes,processor_seconds,disk_used_bytes",
        lambda updates: (row for one in updates.updates for row in _steps(one)),
    ),
    "power_cuts.csv": ("variant,recording,step,kind,flush,kept,outcome,damaged_parts", _power_cuts),
    "automatic_returns.csv": (
        "variant,fault,version,as_expected,version_2_boots,version_1_boots,seconds,limit_seconds", _returns,
    ),
    "refused_updates.csv": (
        "variant,case,command,expected,as_expected,status,requests,bytes,objects,"
        "repeat_status,repeat_requests,repeat_bytes,repeat_objects",
        _refusals,
    ),
}  # fmt: skip
