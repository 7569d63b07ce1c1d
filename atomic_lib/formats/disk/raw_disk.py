"""A raw disk image opened for reading: its partitions, and the files of its root file system."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EISDIR
from functools import cached_property
from mmap import ACCESS_READ, mmap
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4 import Ext4, read_ext4
from atomic_lib.formats.disk.ext4_inode import FILE, Inode
from atomic_lib.formats.disk.ext4_layout import DiskBytes, Layout
from atomic_lib.formats.disk.gpt import PartitionTable, read_partition_table

_ZEROS = bytes(1 << 20)

Piece = tuple[int | None, int]
"""A part of a file: where it is on the disk (None: nowhere, it is zeros), and how many bytes."""


@dataclass(frozen=True)
class DiskFile:
    """The bytes of an open file, read from it by slices. The pages of a mapping would count as this process's memory.

    Raises OSError where the file cannot be read.
    """

    descriptor: int
    size_bytes: int

    def __len__(self) -> int:
        return self.size_bytes

    def __getitem__(self, place: slice) -> bytes:
        start, stop, _ = place.indices(self.size_bytes)
        return os.pread(self.descriptor, max(0, stop - start), start)


@dataclass(frozen=True)
class RawDisk:
    """A disk image while it is open; ``files`` is the file system of the partition named ``root``."""

    path: Path
    data: DiskFile
    table: PartitionTable
    files: Ext4

    @cached_property
    def inodes(self) -> dict[str, Inode]:
        """The inode of each path but directories."""
        return {path: self.files.inodes[number] for number, paths in self.files.names.items() for path in paths}

    def content(self, path: str) -> bytes:
        """The content of a file; raises WorkbookError where there is none, or no regular one."""
        inode = self.inodes.get(path)
        if inode is None or inode.kind != FILE:
            raise WorkbookError(f"{self.path}: no file {path}")
        return b"".join(read_pieces(self.data, pieces_of(self.files, inode)))


@contextmanager
def open_raw_disk(path: Path) -> Iterator[RawDisk]:
    """Open a raw disk image.

    Raises WorkbookError naming the image where it cannot be read, is cut off or damaged, or
    has no partition named ``root`` with an ext4 file system.
    """
    with open_disk_file(path) as data:
        table = read_partition_table(data, str(path))
        root = next((part for part in table.partitions if part.name == "root"), None)
        if root is None:
            raise WorkbookError(f"{path}: no partition named root: not a disk image of this workbook")
        yield RawDisk(path, data, table, read_ext4(data, root.start, root.end, str(path)))


@contextmanager
def open_disk_file(path: Path) -> Iterator[DiskFile]:
    """The bytes of a file, of which nothing stays in memory; raises WorkbookError where it is empty or unreadable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise _unreadable(path, IsADirectoryError(EISDIR, os.strerror(EISDIR)))
        if not status.st_size:
            raise WorkbookError(f"{path}: empty")
        yield DiskFile(descriptor, status.st_size)
    finally:
        os.close(descriptor)


@contextmanager
def map_file(path: Path) -> Iterator[mmap]:
    """The bytes of a file, for many small reads all over it; raises WorkbookError where it is empty or unreadable."""
    with open_disk_file(path) as file, mmap(file.descriptor, 0, access=ACCESS_READ) as data:
        yield data


def _unreadable(path: Path, error: OSError) -> WorkbookError:
    return WorkbookError(f"{path}: cannot be read: {error.strerror}")


def pieces_of(files: Ext4 | Layout, inode: Inode) -> Iterator[Piece]:
    """Where the content of a file is, in its order; holes, and what is allocated and not written, are zeros."""
    place, size_bytes = 0, inode.size_bytes
    for logical, first, count, written in inode.data:
        start = logical * files.block_bytes
        if start >= size_bytes:  # blocks may be allocated beyond the end
            break
        if start > place:
            yield None, start - place
        length = min(count * files.block_bytes, size_bytes - start)
        yield (files.start + first * files.block_bytes if written else None), length
        place = start + length
    if place < size_bytes:
        yield None, size_bytes - place


def read_pieces(disk: DiskBytes, pieces: Iterable[Piece]) -> Iterator[bytes]:
    """The content of a file, at most 1 MiB at a time."""
    for place, count in pieces:
        for start in range(0, count, len(_ZEROS)):
            length = min(len(_ZEROS), count - start)
            yield _ZEROS[:length] if place is None else disk[place + start : place + start + length]
