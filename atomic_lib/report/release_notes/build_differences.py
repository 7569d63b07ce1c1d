"""What changed from an earlier build of a variant to another one: packages, sizes, boot, labels, set-uid files."""

from collections.abc import Iterator, Sequence

from atomic_lib.measure.build_changes import changed_packages
from atomic_lib.report.elements.blocks import Paragraph, Sentences, Shown
from atomic_lib.report.elements.cells import Cell, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import delta, plural, signed, version_of
from atomic_lib.report.text.conclusions import counted_shift
from atomic_lib.results.analysis.metrics import unclocked_metrics
from atomic_lib.results.analysis.package_changes import bytes_by_name
from atomic_lib.results.build_result import why_text
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import Lock, LockedPackage

_NAMED = 10
"""So many paths are named; the rest is a count."""


def differences(before: VariantResult, after: VariantResult, locks: tuple[Lock, Lock]) -> tuple[Shown, ...]:
    """The parts of the section on changes. ``locks``: those of both builds, the earlier one's first."""
    packages = packages_table(before, after, locks)
    return (
        packages if packages.rows else Paragraph("The packages are the same, file by file."),
        _figures(before, after),
        Sentences((("Boot:", _boot(before, after)), ("Labels:", _labels(before, after)),
                   ("Set-uid and set-gid files:", _set_uid(before, after)))),
    )  # fmt: skip


def packages_table(before: VariantResult, after: VariantResult, locks: tuple[Lock, Lock]) -> Table:
    """The packages added, removed and changed: versions, by how many bytes the tree grew, why they are in it now."""
    old, new = (_by_name(lock) for lock in locks)
    reasons = {package.name: why_text(package) for package in after.packages}
    sizes, now = bytes_by_name(before.packages), bytes_by_name(after.packages)
    kinds = ("removed", "added", "changed")
    found = {one.name: kinds[0 if not one.after else 1 if not one.before else 2] for one in changed_packages(*locks)}
    rows = []
    for name, change in sorted(found.items(), key=lambda one: (kinds.index(one[1]), one[0])):
        grown_bytes = now.get(name, 0) - sizes.get(name, 0)
        texts = _versions(old.get(name, ()), new.get(name, ()))
        bytes_cell = Cell(signed(grown_bytes, "bytes"), kind="number", value=grown_bytes)
        rows.append((Cell(name), Cell(change), *map(Cell, texts), bytes_cell, Cell(reasons.get(name, ""))))
    count = {kind: list(found.values()).count(kind) for kind in kinds}
    words = ", ".join(f"{number_of} {change}" for change, number_of in count.items())
    return Table(
        f"Packages: {words}", ("package", "", "before", "after", "in the tree", "why"), tuple(rows),
        empty="The packages are the same, file by file.", fixed=True,
    )  # fmt: skip


def _by_name(lock: Lock) -> dict[str, tuple[LockedPackage, ...]]:
    found: dict[str, tuple[LockedPackage, ...]] = {}
    for package in lock.packages:
        found[package.name] = (*found.get(package.name, ()), package)
    return found


def _versions(old: Sequence[LockedPackage], new: Sequence[LockedPackage]) -> tuple[str, str]:
    """The versions on both sides; with the beginnings of the digests where they are the same."""
    before, after = (", ".join(sorted(map(version_of, builds))) for builds in (old, new))
    if before == after:
        before, after = (
            ", ".join(sorted(f"{version_of(one)}, sha256 {one.sha256[:12]}…" for one in builds))
            for builds in (old, new)
        )
    return before, after


def _figures(before: VariantResult, after: VariantResult) -> Table:
    """All figures that keep their meaning in another session, where one of the two was measured."""
    rows = []
    for metric in unclocked_metrics([before, after]):
        then, now = metric.value(before), metric.value(after)
        if metric.unit == "counted" or (then is None and now is None):
            continue
        change = Cell("not measured in both", kind="missing")
        if then is not None and now is not None:
            change = Cell(delta(now, then, metric.unit) if now != then else "unchanged", value=now - then)
        rows.append((Cell(metric.title), number(then, metric.unit), number(now, metric.unit), change))
    return Table("Sizes and counts", ("figure", "before", "after", "change"), tuple(rows), fixed=True)


def _boot(before: VariantResult, after: VariantResult) -> str:
    counted = counted_shift(after, before)
    clock = "times by the wall clock are not compared between runs"
    return f"{counted}; {clock}." if counted else f"no counted boot in both runs; {clock}."


def _labels(before: VariantResult, after: VariantResult) -> str:
    old, new = before.labels, after.labels
    if old is None or new is None:
        return "not measured in both builds."
    known = {(one.path, one.label) for one in old.wrong}
    fresh = [one.path for one in new.wrong if (one.path, one.label) not in known]
    counts = (
        f"{old.wrong_paths:,} wrong before, {new.wrong_paths:,} after; {old.unlabelled:,} without a label before, "
        f"{new.unlabelled:,} after; {old.checked:,} paths checked before, {new.checked:,} after."
    )
    return f"{counts} Wrong now: {listed(fresh)}." if fresh else counts


def _set_uid(before: VariantResult, after: VariantResult) -> str:
    if before.guards is None or after.guards is None:
        return "not measured in both builds."
    old, new = dict(_set_uid_files(before)), dict(_set_uid_files(after))
    texts = [
        f"{word}: {listed(paths)}"
        for word, paths in (
            ("added", [f"{path} ({what})" for path, what in new.items() if path not in old]),
            ("removed", [f"{path} ({what})" for path, what in old.items() if path not in new]),
            (
                "changed",
                [f"{path} ({old[path]} → {what})" for path, what in new.items() if old.get(path, what) != what],
            ),
        )
        if paths
    ]
    return f"{plural(len(new), 'file')}; {'; '.join(texts) or 'the same as before'}."


def _set_uid_files(result: VariantResult) -> Iterator[tuple[str, str]]:
    """The paths with their modes and owners."""
    for guard in result.guards or ():
        if guard.guard == "set-uid":
            yield from sorted((one.found, one.detail) for one in guard.findings)


def listed(paths: Sequence[str]) -> str:
    """Paths in a sentence: the first by name, the rest as a count."""
    more = [f"{len(paths) - _NAMED:,} more"] if len(paths) > _NAMED else []
    return ", ".join([*paths[:_NAMED], *more])
