"""Footprint of a tree: every file owned by its package, or by none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from atomic_lib.compose.walk import Entry

FORBIDDEN_KINDS: Mapping[str, tuple[str, ...]] = {
    "Python": ("*.py", "*.pyc", "*/bin/python*", "*/libpython3*", "*/lib/python3*", "*/lib64/python3*"),
    "the package manager": ("*/bin/dnf*", "*/bin/yum*", "*/libdnf*", "*/dnf/*", "*/etc/dnf*", "*/bin/microdnf"),
}
"""Files of what the Change wants out of the image, by path; each kind must count 0 in ``atomic-min``."""

_ALIASES = {"/bin/": "/usr/bin/", "/sbin/": "/usr/sbin/", "/lib/": "/usr/lib/", "/lib64/": "/usr/lib64/"}


@dataclass(frozen=True)
class Owned:
    """What one package has in the tree."""

    bytes: int
    files: int


@dataclass(frozen=True)
class Footprint:
    """The files of a tree; ``packages`` and ``unowned`` together are all of them, hard links counted once.

    A file is everything but a directory; a symbolic link's size is the length of its target.
    """

    packages: Mapping[str, Owned]
    unowned: tuple[Entry, ...]

    @property
    def tree_bytes(self) -> int:
        """The apparent size of all files."""
        return sum(owned.bytes for owned in self.packages.values()) + sum(e.size_bytes for e in self.unowned)

    @property
    def tree_files(self) -> int:
        """The number of files."""
        return sum(owned.files for owned in self.packages.values()) + len(self.unowned)


def measure_footprint(
    entries: Iterable[Entry], owners: Mapping[str, Sequence[str]], packages: Iterable[str]
) -> Footprint:
    """Attribute every file of a tree to a package of ``packages`` or to none.

    ``owners`` names packages by the path that their RPM has. A file of several packages
    counts for the first by name.
    """
    by_path = {_unaliased(path): min(names) for path, names in owners.items()}
    totals = dict.fromkeys(packages, (0, 0))
    unowned: list[Entry] = []
    seen: set[int] = set()
    for entry in sorted(entries, key=lambda entry: entry.path):
        if entry.type == "directory" or entry.inode in seen:
            continue
        seen.add(entry.inode)
        owner = by_path.get(rpm_path(entry.path))
        if owner is None:
            unowned.append(entry)
        else:
            size_bytes, files = totals.get(owner, (0, 0))
            totals[owner] = (size_bytes + entry.size_bytes, files + 1)
    return Footprint({name: Owned(*total) for name, total in sorted(totals.items())}, tuple(unowned))


def rpm_path(path: str) -> str:
    """The path that a file of a tree has in its RPM: an ostree tree keeps /etc in /usr/etc."""
    return path.removeprefix("/usr") if path.startswith("/usr/etc/") else path


def count_forbidden(entries: Iterable[Entry]) -> dict[str, int]:
    """How many files of each kind in FORBIDDEN_KINDS are among ``entries``."""
    counts = dict.fromkeys(FORBIDDEN_KINDS, 0)
    for entry in entries:
        for kind, patterns in FORBIDDEN_KINDS.items():
            if entry.type != "directory" and any(fnmatchcase(entry.path, pattern) for pattern in patterns):
                counts[kind] += 1
    return counts


def _unaliased(path: str) -> str:
    for alias, real in _ALIASES.items():
        if path.startswith(alias):
            return real + path.removeprefix(alias)
    return path
