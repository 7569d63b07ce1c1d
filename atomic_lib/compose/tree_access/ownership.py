"""Which package owns a file of a tree, by the paths in its RPM database.

A package may name a file through a directory that is a link in the tree (/usr/sbin in Fedora 42 and later).
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from atomic_lib.compose.ostree import TOPLEVEL_LINKS
from atomic_lib.compose.tree_access.links import Links
from atomic_lib.compose.tree_access.walk import Entry

# unless the tree has a directory there
_MERGED = {name: f"usr{name}" for name in ("/bin", "/sbin", "/lib", "/lib64")}
# as make_ostree_tree moves them
_MOVED = {"/usr/lib/opt/": "/opt/", "/usr/lib/ostree-boot/": "/boot/"}
_KERNEL = re.compile(r"/usr/lib/modules/([^/]+)/vmlinuz", re.DOTALL)  # as place_kernels copies it
_POLICY_STORE = re.compile(r"/etc/selinux/([^/]+/active/)", re.DOTALL)


class Ownership:
    """The owner of each path. A path of several packages belongs to the first of them by name."""

    def __init__(self, owners: Mapping[str, Sequence[str]], entries: Iterable[Entry] = ()) -> None:
        """``owners`` names packages by the path that their RPM has, as ``Tree.owners`` does.

        ``entries``: those of the tree, whose links the paths are resolved through.
        """
        self._links = Links(_links_in_packages(entries))
        self._by_path: dict[str, str] = {}
        for path, names in owners.items():
            real = self._links.real(path)
            self._by_path[real] = min([*names, self._by_path.get(real, names[0])])

    def owner_of(self, path: str) -> str | None:
        """The package that owns a path of the tree; None if none does."""
        in_rpm = self._links.real(rpm_path(path))
        moved = next((old + path.removeprefix(new) for new, old in _MOVED.items() if path.startswith(new)), in_rpm)
        kernel = _KERNEL.sub(r"/boot/vmlinuz-\1", in_rpm)
        places = (in_rpm, moved, kernel, _POLICY_STORE.sub(r"/var/lib/selinux/\1", in_rpm))
        return next((self._by_path[place] for place in places if place in self._by_path), None)

    def attribute(self, paths: Iterable[str]) -> tuple[str, str | None]:
        """Of the names of one file, the one that it is counted under, and its owner.

        That is the first name that a package owns, else the first one.
        """
        names = sorted(paths)
        owned = ((name, owner) for name in names if (owner := self.owner_of(name)))
        return next(owned, (names[0], None))


def rpm_path(path: str) -> str:
    """The path that a file of a tree has in its RPM: an ostree tree keeps /etc in /usr/etc."""
    return path.removeprefix("/usr") if path.startswith("/usr/etc/") else path


def readable(path: str) -> str:
    """A path as text that can be written anywhere: bytes that are not UTF-8 as ``\\xNN``."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _links_in_packages(entries: Iterable[Entry]) -> dict[str, str]:
    """The links that were in the tree when its packages were installed: not those that a commit has in their place."""
    links = dict(_MERGED)
    for entry in entries:
        if entry.type == "link" and TOPLEVEL_LINKS.get(entry.path.lstrip("/")) != entry.target:
            links[rpm_path(entry.path)] = entry.target
        elif entry.type == "directory":
            links.pop(entry.path, None)
    return links
