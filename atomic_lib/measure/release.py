"""What changed from one build of a variant to the next: packages by their locks, files by their images."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from atomic_lib.compose.lock import Lock, LockedPackage
from atomic_lib.measure.equality import Comparison, Difference, Kind
from atomic_lib.measure.filesystem import Entry

Change = Literal["added", "removed", "grown", "shrunk", "other content", "other rights", "other label"]
CHANGES: tuple[Change, ...] = ("added", "removed", "grown", "shrunk", "other content", "other rights", "other label")
_RIGHTS: frozenset[Kind] = frozenset({"mode", "user", "group", "capabilities"})
_LABELS: frozenset[Kind] = frozenset({"label"})


@dataclass(frozen=True)
class PackageChange:
    """A package that came, went or became another build: its builds without its name, nothing where there is none."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class FileChange:
    """A path that changed: all that did, the most telling change as ``change``, and by how much its content grew."""

    path: str
    change: Change
    bytes: int
    differences: tuple[Difference, ...]


def changed_packages(before: Lock, after: Lock) -> tuple[PackageChange, ...]:
    """The packages that differ between two locks; one of the same version with another checksum is changed too."""
    old, new = _builds(before), _builds(after)
    return tuple(
        PackageChange(name, *_texts(old.get(name, set()), new.get(name, set())))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def changed_files(comparison: Comparison) -> tuple[FileChange, ...]:
    """The paths that differ from the left (the earlier build) to the right, by path."""
    grouped = groupby(comparison.differences, key=lambda difference: difference.path)
    return tuple(_file_change(comparison, path, tuple(found)) for path, found in grouped)


def _file_change(comparison: Comparison, path: str, found: tuple[Difference, ...]) -> FileChange:
    grown_bytes = _bytes(comparison.right.entries.get(path)) - _bytes(comparison.left.entries.get(path))
    kinds = {difference.kind for difference in found}
    change: Change
    if "added" in kinds:
        change = "added"
    elif "missing" in kinds:
        change = "removed"
    elif grown_bytes:
        change = "grown" if grown_bytes > 0 else "shrunk"
    elif kinds <= _LABELS:
        change = "other label"
    elif kinds <= _LABELS | _RIGHTS:
        change = "other rights"
    else:
        change = "other content"
    return FileChange(path, change, grown_bytes, found)


def _bytes(entry: Entry | None) -> int:
    return entry.size_bytes if entry and entry.type == "file" else 0


def _builds(lock: Lock) -> dict[str, set[LockedPackage]]:
    """The packages of each name; where they came from does not count."""
    builds: dict[str, set[LockedPackage]] = {}
    for package in lock.packages:
        builds.setdefault(package.name, set()).add(_placeless(package))
    return builds


def _placeless(package: LockedPackage) -> LockedPackage:
    return LockedPackage(**{**vars(package), "repo": "", "size_bytes": 0})


def _texts(old: Iterable[LockedPackage], new: Iterable[LockedPackage]) -> tuple[str, str]:
    before, after = (
        ", ".join(sorted(package.nevra.removeprefix(f"{package.name}-") for package in builds)) for builds in (old, new)
    )
    if before != after:
        return before, after
    before, after = (", ".join(sorted(f"sha256 {package.sha256[:16]}" for package in builds)) for builds in (old, new))
    return before, after
