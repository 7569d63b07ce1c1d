"""Figures as text, Markdown tables, and what a directory takes on disk."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

BLOCK_BYTES = 512
"""The unit of st_blocks, whatever the file system's own block is (stat(2))."""


@dataclass(frozen=True)
class Section:
    """One table of the result for people, and its raw data for JSON."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    data: Mapping[str, Any]

    def markdown(self) -> str:
        """A paragraph and a table whose columns but the first are aligned at their ends."""
        rule = ["---", *("---:" for _ in self.header[1:])]
        lines = [f"| {' | '.join(row)} |" for row in (self.header, rule, *self.rows)]
        return f"{self.title}:\n\n" + "\n".join(lines) + "\n"


def seconds(value: float) -> str:
    """Seconds with one digit."""
    return f"{value:.1f} s"


def mebibytes(value: float) -> str:
    """Memory in MiB."""
    return f"{value / 2**20:.0f} MiB"


def megabytes(value: float) -> str:
    """Disk in MB of 1,000,000 bytes."""
    return f"{value / 1e6:.0f} MB" if value >= 1e7 or not value else f"{value / 1e6:.1f} MB"


def spread_text(values: Sequence[float], text: Callable[[float], str]) -> str:
    """ "15.1 s (14.2 to 16.0)": median, least, most; of one value, the value."""
    middle = text(median(values))
    if len(values) == 1:
        return middle
    least, most = (text(value).split(" ")[0] for value in (min(values), max(values)))
    return f"{middle} ({least} to {most})"


def new_bytes(directory: Path, known: set[tuple[int, int]]) -> dict[str, int]:
    """What the files of a store take on disk, by stage: those not in ``known``, each once.

    A file with several names counts under the first of them. ``known`` holds device and inode
    of files, and the files found are added to it.
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
