"""Footprint of a tree: every file owned by its package, or by none.

What is counted: everything but directories. A symbolic link's size is the length of its
target. A directory is a name, not content, and the space it takes depends on the file
system, so its blocks are not part of the tree's bytes, neither apparent nor allocated
(a disk image has a part of its own for them). Hard links are one file.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from atomic_lib.compose.tree_access.ownership import Ownership
from atomic_lib.compose.tree_access.walk import Entry

FORBIDDEN_KINDS: Mapping[str, tuple[str, ...]] = {
    "Python": ("*.py", "*.pyc", "*/bin/python*", "*/libpython3*", "*/lib/python3*", "*/lib64/python3*"),
    "the package manager": ("*/bin/dnf*", "*/bin/yum*", "*/libdnf*", "*/dnf/*", "*/etc/dnf*", "*/bin/microdnf"),
}
"""Files that a minimal Atomic image must not contain, by path; each kind must count 0 in ``atomic-min``."""

DIRECTORY_DEPTH = 3
DIRECTORY_SHARE = 0.001


@dataclass(frozen=True)
class Owned:
    """A number of files: their apparent size, how many they are, and the whole blocks that they take."""

    bytes: int = 0
    files: int = 0
    allocated_bytes: int = 0

    def __add__(self, other: "Owned") -> "Owned":
        """Both together."""
        return Owned(self.bytes + other.bytes, self.files + other.files, self.allocated_bytes + other.allocated_bytes)


@dataclass(frozen=True)
class Footprint:
    """The files of a tree; ``packages`` and ``unowned`` together are all of them, hard links counted once.

    ``directories``: what is below each directory down to DIRECTORY_DEPTH, where it is at
    least DIRECTORY_SHARE of the tree. A file with several names counts where its owned name is.
    """

    packages: Mapping[str, Owned]
    unowned: tuple[Entry, ...]
    directories: Mapping[str, Owned]

    @property
    def tree(self) -> Owned:
        """All files."""
        return sum((*self.packages.values(), *map(_size, self.unowned)), Owned())


def measure_footprint(
    entries: Iterable[Entry], owners: Mapping[str, Sequence[str]], packages: Iterable[str]
) -> Footprint:
    """Attribute every file of a tree to a package of ``packages`` or to none.

    ``owners`` names packages by the path that their RPM has; see ``Ownership`` for files
    with several names or owners.
    """
    entries = list(entries)
    ownership = Ownership(owners, entries)
    totals = dict.fromkeys(packages, Owned())
    unowned: list[Entry] = []
    counted: list[Entry] = []
    for names in _files(entries):
        path, owner = ownership.attribute(names)
        entry = names[path]
        counted.append(entry)
        if owner is None:
            unowned.append(entry)
        else:
            totals[owner] = totals.get(owner, Owned()) + _size(entry)
    unowned.sort(key=lambda entry: entry.path)
    return Footprint(dict(sorted(totals.items())), tuple(unowned), _directories(counted))


def count_forbidden(entries: Iterable[Entry], python_scripts: Iterable[str] = ()) -> dict[str, int]:
    """How many files of each kind in FORBIDDEN_KINDS are among ``entries``.

    ``python_scripts``: paths of files that are Python by their first line. Those whose path
    does not already identify them as Python count too.
    """
    counts = dict.fromkeys(FORBIDDEN_KINDS, 0)
    for entry in entries:
        for kind, patterns in FORBIDDEN_KINDS.items():
            counts[kind] += entry.type != "directory" and _fits(entry.path, patterns)
    counts["Python"] += sum(not _fits(path, FORBIDDEN_KINDS["Python"]) for path in python_scripts)
    return counts


def _fits(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _size(entry: Entry) -> Owned:
    return Owned(entry.size_bytes, 1, entry.allocated_bytes)


def _files(entries: Iterable[Entry]) -> Iterable[dict[str, Entry]]:
    """The names of each file: its hard links together."""
    by_inode: dict[int, dict[str, Entry]] = {}
    for entry in entries:
        if entry.type != "directory":
            by_inode.setdefault(entry.inode, {})[entry.path] = entry
    return by_inode.values()


def _directories(files: Sequence[Entry]) -> dict[str, Owned]:
    size_bytes: Counter[str] = Counter()
    count: Counter[str] = Counter()
    allocated_bytes: Counter[str] = Counter()
    for entry in files:
        parts = entry.path.split("/")[1:-1]
        for depth in range(1, min(len(parts), DIRECTORY_DEPTH) + 1):
            path = "/" + "/".join(parts[:depth])
            size_bytes[path] += entry.size_bytes
            count[path] += 1
            allocated_bytes[path] += entry.allocated_bytes
    least = sum(entry.size_bytes for entry in files) * DIRECTORY_SHARE
    shown = sorted(path for path, total in size_bytes.items() if total >= least)
    return {path: Owned(size_bytes[path], count[path], allocated_bytes[path]) for path in shown}
