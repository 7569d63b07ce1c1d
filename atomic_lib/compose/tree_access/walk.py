"""Lists the paths of a file system tree, to measure and compare them."""

import json
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.compose.tree_access.tree_files import TreeFiles

_TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


@dataclass(frozen=True)
class Entry:
    """One path of a tree. Hard links to one file have the same ``inode``.

    In a name that is not UTF-8, surrogates stand for the undecodable bytes (PEP 383).
    """

    path: str
    type: str
    size_bytes: int
    allocated_bytes: int
    inode: int
    target: str = ""
    """Where a symbolic link points."""


def walk_tree(root: Path) -> Iterator[Entry]:
    """All paths below ``root`` (which is ``/`` and not included), in a fixed order; links are not followed."""
    files = TreeFiles(root)
    for path, status in files.below():
        kind = _TYPES.get(stat.S_IFMT(status.st_mode), "special")
        size_bytes = status.st_size if kind != "directory" else 0
        target = files.target_of(path) if kind == "link" else ""
        yield Entry(f"/{path}", kind, size_bytes, status.st_blocks * 512, status.st_ino, target)


def write_entries(entries: Iterable[Entry], path: Path) -> None:
    """Write entries, one JSON list per line."""
    with open(path, "w") as handle:
        for entry in entries:
            row = [entry.path, entry.type, entry.size_bytes, entry.allocated_bytes, entry.inode, entry.target]
            handle.write(json.dumps(row) + "\n")


def read_entries(path: Path) -> list[Entry]:
    """The entries in a file from ``write_entries``."""
    with open(path) as handle:
        return [Entry(*json.loads(line)) for line in handle]
