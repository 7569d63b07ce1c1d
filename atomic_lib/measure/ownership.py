"""Which package owns a file of a tree, by the paths in its RPM database."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence

_ALIASES = {"/bin/": "/usr/bin/", "/sbin/": "/usr/sbin/", "/lib/": "/usr/lib/", "/lib64/": "/usr/lib64/"}
# as make_ostree_tree moves them
_MOVED = {"/usr/lib/opt/": "/opt/", "/usr/lib/ostree-boot/": "/boot/"}
_POLICY_STORE = re.compile(r"/etc/selinux/([^/]+/active/)", re.DOTALL)


class Ownership:
    """The owner of each path. A path of several packages belongs to the first of them by name."""

    def __init__(self, owners: Mapping[str, Sequence[str]]) -> None:
        """``owners`` names packages by the path that their RPM has, as ``Tree.owners`` does."""
        self._by_path = {_unaliased(path): min(names) for path, names in owners.items()}

    def owner_of(self, path: str) -> str | None:
        """The package that owns a path of the tree; None if none does."""
        in_rpm = rpm_path(path)
        moved = next((old + path.removeprefix(new) for new, old in _MOVED.items() if path.startswith(new)), in_rpm)
        places = (in_rpm, moved, _POLICY_STORE.sub(r"/var/lib/selinux/\1", in_rpm), _as_printed(in_rpm))
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


def _as_printed(path: str) -> str:
    """A path as it is read from rpm's output, where bytes that are not UTF-8 are lost."""
    return os.fsencode(path).decode(errors="replace")


def _unaliased(path: str) -> str:
    for alias, real in _ALIASES.items():
        if path.startswith(alias):
            return real + path.removeprefix(alias)
    return path
