"""A set of RPMs: exactly those of a lock, in a directory that is indexed as a repository."""

from dataclasses import dataclass
from pathlib import Path

from atomic_lib.solve.lock import Lock


@dataclass(frozen=True)
class RpmSet:
    """A directory with exactly the RPMs of a lock, indexed as a repository; empty if the lock is that of a commit."""

    key: str
    lock: Lock
    directory: Path
    words: tuple[str, ...]
    """The arguments of dnf that install the set."""
    seconds: float
    reused: bool

    @property
    def keys(self) -> Path:
        """The directory of the public keys of local repositories that signed the RPMs, as ``KEYID.asc``."""
        return self.directory.parent / "keys"

    @property
    def download_bytes(self) -> int:
        """The total size of the RPM files."""
        return sum(package.size_bytes for package in self.lock.packages)
