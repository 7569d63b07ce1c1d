"""What the files of a host's tree belong to: a package, the RPM database, or none of them.

A directory is written with each file in it, so it belongs to a component only if a package owns it, or if it is empty.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from atomic_lib.compose.chroot import RPMDB
from atomic_lib.compose.tree_access.ownership import Ownership, readable
from atomic_lib.compose.tree_access.walk import Entry

DATABASE, UNPACKAGED = "the RPM database", "files of no package"
"""The components beside the packages. A space is in no name of a package."""
LARGE_BYTES = 1 << 20
"""A file of no package that is as large as this is a component by itself, as in chunkah's ``bigfiles.rs``."""


@dataclass(frozen=True)
class Component:
    """Paths of an image that change together, relative to its root; ``size_bytes``: those of the regular files."""

    paths: tuple[str, ...]
    size_bytes: int


def components_of(entries: Sequence[Entry], owners: Mapping[str, Sequence[str]]) -> dict[str, Component]:
    """The components of a tree by name; ``owners``: the packages that have each path, as ``Tree.owners`` names them.

    The names of one file are of one component. A package has its own name; a large file of none, that of its path,
    without what the annotation of a layer cannot have: commas, and bytes that are not UTF-8.
    """
    ownership, in_use = Ownership(owners, entries), {entry.path.rpartition("/")[0] for entry in entries}
    paths: dict[str, list[str]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for names in _names_of_files(entries):
        path, owner = ownership.attribute(one.path for one in names)
        component = owner or _without_package(path, names[0].size_bytes)
        paths[component] += (in_image(one.path) for one in names)
        sizes[component] += names[0].size_bytes if names[0].type == "file" else 0
    for entry in entries:
        if entry.type == "directory" and ((owner := ownership.owner_of(entry.path)) or entry.path not in in_use):
            paths[owner or UNPACKAGED].append(in_image(entry.path))
    return {name: Component(tuple(sorted(paths[name])), sizes[name]) for name in sorted(paths)}


def in_image(path: str) -> str:
    """Where an image for containers has a path of a commit, relative to the root: /usr/etc is /etc there."""
    return path.removeprefix("/usr" if f"{path}/".startswith("/usr/etc/") else "").removeprefix("/")


def _names_of_files(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries of each file or link: several if there are hard links."""
    found: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.type != "directory":
            found[entry.inode].append(entry)
    return list(found.values())


def _without_package(path: str, size_bytes: int) -> str:
    if path.startswith(f"/{RPMDB.strip('/')}/"):
        return DATABASE
    return readable(path).replace(",", r"\x2c") if size_bytes >= LARGE_BYTES else UNPACKAGED
