"""Resolves many paths through the symbolic links of a tree, from a list of the links."""

import stat
from collections import deque
from collections.abc import Mapping

from atomic_lib.compose.tree_access.tree_files import TreeFiles

_MOST_LINKS = 40  # as in path_resolution(7)


class Links:
    """The symbolic links of a tree: the target of each by its path. Paths begin with ``/``, the root of the tree."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        """``targets`` may be relative, or absolute within the tree."""
        self._targets = targets
        self._directories: dict[str, str] = {}

    def real(self, path: str) -> str:
        """The path with the links of its directories resolved; a link in its last component is not followed.

        A path that goes in circles is returned unchanged.
        """
        directory, _, name = path.rpartition("/")
        if directory not in self._directories:
            self._directories[directory] = self._followed(directory)
        return f"{self._directories[directory]}/{name}"

    def _followed(self, directory: str) -> str:
        waiting, reached, count = deque(_parts(directory)), "", 0
        while waiting:
            part = waiting.popleft()
            if part == "..":
                reached = reached.rpartition("/")[0]
                continue
            step = f"{reached}/{part}"
            target = self._targets.get(step)
            if target is None:
                reached = step
                continue
            count += 1
            if count > _MOST_LINKS:
                return directory
            waiting.extendleft(reversed(_parts(target)))
            reached = "" if target.startswith("/") else reached
        return reached


def links_of(files: TreeFiles) -> Links:
    """The links of a tree."""
    paths = (path for path, status in files.below() if stat.S_ISLNK(status.st_mode))
    return Links({f"/{path}": files.target_of(path) for path in paths})


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
