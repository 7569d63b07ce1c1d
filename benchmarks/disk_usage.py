"""The disk space that a store takes."""

import os
from collections.abc import Iterator
from pathlib import Path

BLOCK_BYTES = 512
"""The unit of st_blocks, whatever the block size of the file system (stat(2))."""


def new_bytes(directory: Path, known: set[tuple[int, int]]) -> dict[str, int]:
    """Allocated bytes of the files of a store, by stage: those not in ``known``, each once.

    A file with several names counts under the first of them. ``known`` holds device and inode of
    files; the files found are added to it.
    """
    sizes: dict[str, int] = {}
    for top in sorted(set(directory.iterdir()) - {directory / "locks", directory / "tmp"}):
        sizes[top.name] = sum(status.st_blocks * BLOCK_BYTES for status in _new_files(top, known))
    return {name: size for name, size in sizes.items() if size}


def _new_files(top: Path, known: set[tuple[int, int]]) -> Iterator[os.stat_result]:
    for path in (top, *top.rglob("*")):  # rglob follows no link
        status = path.lstat()
        if (status.st_dev, status.st_ino) not in known:
            known.add((status.st_dev, status.st_ino))
            yield status
