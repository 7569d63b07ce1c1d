"""The checksum of a sparse disk image, without reading its holes."""

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

_PIECE_BYTES = 1 << 20
_ZEROS = bytes(_PIECE_BYTES)


def disk_sha256(path: Path) -> str:
    """The sha256 of a file, in hex, as by sha256sum; holes count as zeros."""
    digest = hashlib.sha256()
    with open(path, "rb") as disk:
        at = 0
        for start, end in _extents(disk.fileno(), path.stat().st_size):
            _add_zeros(digest, start - at)
            disk.seek(start)
            while piece := disk.read(min(_PIECE_BYTES, end - disk.tell())):
                digest.update(piece)
            at = end
        _add_zeros(digest, path.stat().st_size - at)
    return digest.hexdigest()


def _extents(descriptor: int, size_bytes: int) -> Iterator[tuple[int, int]]:
    """The start and end offsets of the file's data; see lseek(2), SEEK_DATA."""
    end = 0
    while end < size_bytes:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # ENXIO: only a hole is left
                raise
            return
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end


def _add_zeros(digest: "hashlib._Hash", count: int) -> None:
    for done in range(0, count, _PIECE_BYTES):
        digest.update(_ZEROS[: count - done])
