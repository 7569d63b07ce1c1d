"""A power cut at a chosen step: programs that count, in front of the real ones, and what a cut leaves on a disk."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.guest.programs import program_text

STEPS = ("curl", "sleep", "sync", "mv", "rm", "mkdir", "chmod", "chown", "cat", "gzip", "sed", "restorecon")
"""The external commands of the agent; each is a step."""


@dataclass(frozen=True)
class Cutter:
    """The counting programs of one guest; ``directory`` holds the count and what was synced."""

    programs: Path
    directory: Path

    @contextmanager
    def armed(self, when: str, number: int) -> Iterator[None]:
        """Cut the power ``when`` (before, after) step ``number`` is done."""
        (self.directory / "armed").write_text(f"{when} {number}\n")
        yield
        (self.directory / "armed").write_text("never 0\n")

    def cut_at(self) -> str:
        """The command at which the power was cut; empty: the boot reached its end."""
        path = self.directory / "at"
        return path.read_text().strip() if path.is_file() else ""

    def synced(self) -> set[str]:
        """Files as they were when they were synced: inode, second and size."""
        return set((self.directory / "synced").read_text().splitlines())

    def names(self) -> set[str]:
        """Names that are on the disk, each with the inode of its directory: those that were there, and those synced."""
        return set((self.directory / "names").read_text().splitlines())

    def remove(self) -> None:
        """Remove the programs, so that the next boot is quick."""
        for name in STEPS:
            (self.programs / name).unlink(missing_ok=True)
        shutil.rmtree(self.directory)


def make_program(path: Path, text: str) -> None:
    """Write an executable."""
    path.write_text(text)
    path.chmod(0o755)


def install(programs: Path, directory: Path, root: Path, disk: Path) -> Cutter:
    """Put a counting program in front of each step that ``root`` has; what ``disk`` holds now is safe.

    The guest has ``directory`` as /mnt/proof/.cut. The program ends everything in the guest, itself
    included, by "kill -9 0". It records what was synced by inode and time of change, of
    a directory also by its names.
    """
    directory.mkdir()
    names = "".join(f"{name}\n" for name, _ in _names(disk))
    for name, text in (("count", "0\n"), ("armed", "never 0\n"), ("synced", ""), ("names", names)):
        (directory / name).write_text(text)
    for name in STEPS:
        if (root / "usr/bin" / name).exists():
            text = program_text(__file__, "step", NAME=name, REAL=f"/usr/bin/{name}")
            make_program(programs / name, text)
    return Cutter(programs, directory)


def lose_unsynced(disk: Path, cutter: Cutter) -> list[Path]:
    """Remove from ``disk`` what was not synced: new names whose directory was not, and the content of files.

    That is the worst that POSIX allows, and more than a journalling file system does. Returns what was lost.
    """
    safe, lost = cutter.names(), []
    for name, path in _names(disk):
        if name not in safe and path.exists():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            lost.append(path)
    synced = cutter.synced()
    for path in (path for _, path in _names(disk) if path.is_file() and not path.is_symlink()):
        status = path.stat()
        known = f"{status.st_ino} {int(status.st_mtime)} {status.st_size}" in synced
        if status.st_size and not known and path.name != "file":
            os.truncate(path, 0)
            lost.append(path)
    return lost


def _names(disk: Path) -> list[tuple[str, Path]]:
    """Everything on ``disk``, directories before what is in them: the inode of its directory, its name, its path."""
    return [(f"{path.parent.stat().st_ino}/{path.name}", path) for path in sorted(disk.rglob("*"))]
