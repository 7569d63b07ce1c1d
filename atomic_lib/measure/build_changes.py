"""What changed from one build of a variant to the next: packages by their locks, files by their images."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, cast, get_args

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import find_damage
from atomic_lib.base.model import Count, Model
from atomic_lib.base.stage import Stage
from atomic_lib.formats.disk.file_system import FileEntry, read_file_system, root_of
from atomic_lib.image.disk import Image, image_in
from atomic_lib.measure.file_system_comparison import Comparison, Difference, Kind, compare, shown
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.tools.context import Context

CHANGED_FILES = "changed-files.csv"
"""A row for each path: ``path,change,bytes,what``."""
ChangeKind = Literal["added", "removed", "grown", "shrunk", "other content", "other rights", "other label"]
CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
LARGEST = 20
"""So many paths of each kind of change are in a result; all are in the CSV file."""
_RIGHTS: frozenset[Kind] = frozenset({"mode", "user", "group", "capabilities"})
_LABELS: frozenset[Kind] = frozenset({"label"})


class Change(Model):
    """Something by name (a package, a parameter) before and after; empty if there is none."""

    name: str
    before: str
    after: str


class FileChange(Model):
    """A path that changed: the main kind of change, by how many bytes its content grew, all differences as text."""

    path: str
    change: ChangeKind
    bytes: int
    what: str


class ChangedFiles(Model):
    """All paths with one kind of change: how many, by how many bytes they grew, and the ``largest`` of them."""

    change: ChangeKind
    paths: Count
    bytes: int
    largest: tuple[FileChange, ...] = ()


def changed_packages(before: Lock, after: Lock) -> tuple[Change, ...]:
    """The packages that differ between two locks; one of the same version with another checksum is changed too."""
    old, new = _builds(before), _builds(after)
    return tuple(
        _package_change(name, old.get(name, set()), new.get(name, set()))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def changed_files(comparison: Comparison) -> tuple[FileChange, ...]:
    """The paths that differ from the left (the earlier build) to the right, by path."""
    grouped = groupby(comparison.differences, key=lambda difference: difference.path)
    return tuple(_file_change(comparison, path, tuple(found)) for path, found in grouped)


@dataclass(frozen=True)
class ChangesRequest:
    """Two images of the store by their keys, and the progress line."""

    before: str
    after: str
    what: str

    def directories(self, context: Context) -> list[Path]:
        """Both images; a directory is missing once its result was removed from the store."""
        return [context.store.path_of("image", key) for key in (self.before, self.after)]


def changed_files_of_images(before: str, after: str, context: Context, *, what: str) -> Path | None:
    """``changed-files.csv`` of two images of the store, by their keys; None if one of them is no longer stored.

    Both are read once (seconds). Raises WorkbookError for an image that is damaged.
    """
    request = ChangesRequest(before, after, what)
    if not (CHANGED_FILES_STAGE.has(request, context) or all(path.is_dir() for path in request.directories(context))):
        return None
    return CHANGED_FILES_STAGE.get(request, context).path / CHANGED_FILES


def _make(request: ChangesRequest, context: Context, directory: Path) -> None:
    raws = [_whole_image(path).raw_disk(context) for path in request.directories(context)]
    left, right = (root_of(read_file_system(raw)) for raw in raws)
    _write_changes(directory / CHANGED_FILES, changed_files(compare(left, right)))


def _whole_image(directory: Path) -> Image:
    """The image in a directory of the store, which is that of another build, so nothing has checked it yet."""
    if damage := find_damage(directory):
        raise WorkbookError(f"{directory}: the stored image is damaged: {damage[0]}", hint="build it again")
    return image_in(directory)


CHANGED_FILES_STAGE = Stage(
    "changed-files",
    _make,
    lambda request, _: {"before": request.before, "after": request.after},
    title=lambda request: request.what,
)


def read_changes(path: Path) -> tuple[FileChange, ...]:
    """The content of a ``changed-files.csv``."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        FileChange(path=row["path"], change=cast(ChangeKind, row["change"]), bytes=int(row["bytes"]), what=row["what"])
        for row in rows
    )


def grouped_changes(changes: Iterable[FileChange]) -> tuple[ChangedFiles, ...]:
    """The changed paths by kind of change, each with its largest ones."""
    ordered = sorted(changes, key=lambda one: (CHANGE_KINDS.index(one.change), -abs(one.bytes), one.path))
    grouped = [(kind, list(found)) for kind, found in groupby(ordered, key=lambda one: one.change)]
    return tuple(
        ChangedFiles(
            change=kind, paths=len(found), bytes=sum(one.bytes for one in found), largest=tuple(found[:LARGEST])
        )
        for kind, found in grouped
    )


def _write_changes(path: Path, changes: Sequence[FileChange]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("path", "change", "bytes", "what"))
        rows.writerows((one.path, one.change, one.bytes, one.what) for one in changes)


def _file_change(comparison: Comparison, path: str, found: tuple[Difference, ...]) -> FileChange:
    grown_bytes = _bytes(comparison.right.entries.get(path)) - _bytes(comparison.left.entries.get(path))
    kinds = {difference.kind for difference in found}
    change: ChangeKind
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
    return FileChange(path=shown(path), change=change, bytes=grown_bytes, what="; ".join(map(_what, found)))


def _what(difference: Difference) -> str:
    """A difference as text; checksums and sizes tell a reader less than that they differ."""
    if difference.kind in ("missing", "added"):
        return shown(difference.left or difference.right)
    if difference.kind in ("content", "size"):
        return difference.kind
    return shown(f"{difference.kind}: {difference.left or 'none'} → {difference.right or 'none'}")


def _bytes(entry: FileEntry | None) -> int:
    return entry.size_bytes if entry and entry.type == "file" else 0


def _builds(lock: Lock) -> dict[str, set[LockedPackage]]:
    """The packages of each name; where they came from does not count."""
    builds: dict[str, set[LockedPackage]] = {}
    for package in lock.packages:
        builds.setdefault(package.name, set()).add(_placeless(package))
    return builds


def _placeless(package: LockedPackage) -> LockedPackage:
    return LockedPackage(**{**vars(package), "repo": "", "size_bytes": 0, "vendor": ""})


def _package_change(name: str, old: Iterable[LockedPackage], new: Iterable[LockedPackage]) -> Change:
    """The builds without the package's name; their checksums where nothing else differs."""
    before, after = (", ".join(sorted(one.nevra.removeprefix(f"{name}-") for one in builds)) for builds in (old, new))
    if before == after:
        before, after = (", ".join(sorted(f"sha256 {one.sha256[:16]}" for one in builds)) for builds in (old, new))
    return Change(name=name, before=before, after=after)
