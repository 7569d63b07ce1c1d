"""Lists the paths of a file system tree, to measure and compare them."""

import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

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


def walk_tree(root: Path) -> Iterator[Entry]:
    """All paths below ``root`` (which is ``/`` and not included), in a fixed order; links are not followed."""
    stack = [""]
    while stack:
        base = stack.pop()
        for item in sorted(os.scandir(f"{root}{base}/"), key=lambda item: item.name, reverse=True):
            status = item.stat(follow_symlinks=False)
            path = f"{base}/{item.name}"
            kind = _TYPES.get(stat.S_IFMT(status.st_mode), "special")
            yield Entry(path, kind, status.st_size if kind != "directory" else 0, status.st_blocks * 512, status.st_ino)
            if kind == "directory":
                stack.append(path)


def write_entries(entries: Iterable[Entry], path: Path) -> None:
    """Write entries, one JSON list per line."""
    with open(path, "w") as handle:
        for entry in entries:
            row = [entry.path, entry.type, entry.size_bytes, entry.allocated_bytes, entry.inode]
            handle.write(json.dumps(row) + "\n")


def read_entries(path: Path) -> list[Entry]:
    """The entries in a file from ``write_entries``."""
    with open(path) as handle:
        return [Entry(*json.loads(line)) for line in handle]
