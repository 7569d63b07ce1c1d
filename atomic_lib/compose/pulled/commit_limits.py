"""How much a commit of a remote may have: a remote could send bytes without end, or few objects for many files."""

import os
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import size_bytes
from atomic_lib.tools.memory import MOST_MEMORY

_ALMOST_FULL_BYTES = 2**20


@dataclass(frozen=True)
class CommitLimits:
    """The MiB and the number of files that a commit may have: as objects in a repository, and checked out."""

    size_mib: int = 8192
    files: int = 1_000_000

    @property
    def memory_size(self) -> str:
        """The size of a file system in memory for the files, as mount takes it: at most that of most of the memory."""
        memory_mib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
        return MOST_MEMORY if self.size_mib > memory_mib * 0.9 else f"{self.size_mib}m"

    def require(self, directory: Path, place: str) -> None:
        """Raise WorkbookError if what is in ``directory`` exceeds a limit; ``place`` names the commit."""
        if size_bytes(directory) > self.size_mib << 20:
            raise self._error(place, f"{self.size_mib} MiB (commit_size_mib)")
        if sum(len(files) for _, _, files in os.walk(directory)) > self.files:
            raise self._error(place, f"{self.files} files (commit_files)")

    def full(self, memory: Path, place: str) -> WorkbookError | None:
        """The error for a file system of ``memory_size`` and so many files, if it is full; None otherwise."""
        status = os.statvfs(memory)
        if not status.f_favail:
            return self._error(place, f"{self.files} files (commit_files)")
        if status.f_bavail * status.f_frsize < _ALMOST_FULL_BYTES:
            return self._error(place, f"{status.f_blocks * status.f_frsize >> 20} MiB (commit_size_mib, or the memory)")
        return None

    def _error(self, place: str, limit: str) -> WorkbookError:
        hint = "deploy another commit, or raise the parameter in brackets if this one is what you expect"
        return WorkbookError(f"{place} has more than {limit}", hint=hint)
