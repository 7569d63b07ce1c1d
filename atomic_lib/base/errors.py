"""The error that a user sees: what is wrong, where, and what to do next. The error for a full file system."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from atomic_lib.base.files import size_bytes
from atomic_lib.base.paths import BUILD, cache_directory

_FULL_BYTES = 2**20
"""With less free space than this, a failed command is taken as the effect of a full file system."""
_LOW_BYTES = 10**9
"""With less free space than this, so is a command that says that a disk is full: one in a guest means the guest's."""
_SAYS_FULL = re.compile(r"No space left on device|Disk quota exceeded|disk is full", re.IGNORECASE)
_RPM_SAYS_FULL = re.compile(r"more (space|inodes) needed on the .* filesystem")


class WorkbookError(Exception):
    """An error that the user can act on.

    ``message`` names the file, key, line or command that is wrong. ``hint`` is the next
    step. ``log`` holds longer evidence, such as the last lines of a log, which a terminal
    shows below the message.
    """

    def __init__(self, message: str, *, hint: str = "", log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log = log

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.hint, self.log)

    def __str__(self) -> str:
        parts = [self.message]
        if self.log:
            parts.append(self.log.rstrip())
        if self.hint:
            parts.append(f"Next step: {self.hint}")
        return "\n".join(parts)


class SetupError(WorkbookError):
    """A fault of the setup, not of the variant that is built: a full disk, damaged files, no tools, a bad notebook.

    Another variant would fail the same way, so no fallback is built.
    """


def _rebuild(kind: type[WorkbookError], message: str, hint: str, log: str) -> WorkbookError:
    return kind(message, hint=hint, log=log)


def full_disk(what: str, path: Path | None = None, *, written_to: Iterable[Path] = ()) -> SetupError:
    """The error for a full file system: the one of ``path``, or without a path the one with the least free space.

    That is one of those that the workbook writes to, and of those of ``written_to``.

    ``what`` failed because of it. The error names the mount point, the free space, and what ``./workbook clean``
    would free on it.
    """
    place = _existing(path) if path else min(map(_existing, (*written_to, *_written_to())), key=_free_bytes)
    total_bytes = os.statvfs(place).f_blocks * os.statvfs(place).f_frsize
    space = f"{_readable(_free_bytes(place))} of {_readable(total_bytes)} are free"
    if os.statvfs(place).f_files > 0 and not os.statvfs(place).f_favail:
        space = "no inodes are free"
    freed = "; ".join(f"./workbook clean {part} would free {_readable(size)}" for part, size in _parts_on(place))
    remedy = "free some space there"
    if _is_in_memory(_mount_point(place)):
        space += ", in memory"
        remedy = remedy if freed else "free some memory, or use a machine with more,"
    return SetupError(
        f"{what}: the file system at {_mount_point(place)} is full: {space}",
        hint=f"{remedy} and run again; finished stages are kept{'; ' if freed else ''}{freed}",
    )


def full_disk_of_command(name: str, output: str, directories: Iterable[Path]) -> SetupError | None:
    """The error for the failed command ``name`` if a full file system is the cause; None otherwise.

    ``directories``: what the command writes to, besides the workbook's own directories.
    """
    places = [_existing(path) for path in (*directories, *_written_to())]
    fullest = min(places, key=_free_bytes)
    if _RPM_SAYS_FULL.search(output):
        return full_disk(name, fullest)
    limit_bytes = _LOW_BYTES if _SAYS_FULL.search(output) else _FULL_BYTES
    return full_disk(name, fullest) if _free_bytes(fullest) < limit_bytes else None


def _written_to() -> tuple[Path, ...]:
    # not tempfile.gettempdir(), which writes, and so fails where the file system is full
    return BUILD, cache_directory(), Path(os.environ.get("TMPDIR", "/tmp"))


def _readable(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.1f} MB"


def _existing(path: Path) -> Path:
    """The path, or its nearest parent directory that exists."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def _free_bytes(path: Path) -> int:
    status = os.statvfs(path)
    if status.f_files and not status.f_favail:
        return 0
    return status.f_bavail * status.f_frsize


def _mount_point(path: Path) -> Path:
    path = path.resolve()
    return next(place for place in (path, *path.parents) if os.path.ismount(place))


def _is_in_memory(mount_point: Path) -> bool:
    """Whether a file system is in memory, as that of a tree is while it is composed: proc_pid_mounts(5)."""
    rows = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    types = [row[2] for row in rows if row[1] == str(mount_point)]
    return types[-1:] == ["tmpfs"]


def _parts_on(place: Path) -> list[tuple[str, int]]:
    """The parts that ``./workbook clean`` removes and that are on the file system of ``place``, with their sizes."""
    parts = {"builds": BUILD / "store", "runs": BUILD / "runs", "cache": cache_directory()}
    device = place.stat().st_dev
    sizes = {name: size_bytes(path) for name, path in parts.items() if path.is_dir() and path.stat().st_dev == device}
    return [(name, size) for name, size in sizes.items() if size]
