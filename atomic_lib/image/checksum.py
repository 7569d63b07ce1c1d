"""The checksum of a sparse disk image, without reading its holes."""

import hashlib
from pathlib import Path

from atomic_lib.base.files import data_ranges

_PIECE_BYTES = 1 << 20
_ZEROS = bytes(_PIECE_BYTES)


def disk_sha256(path: Path) -> str:
    """The sha256 of a file in hex; holes count as zeros."""
    digest = hashlib.sha256()
    with open(path, "rb") as disk:
        at = 0
        for start, end in data_ranges(disk.fileno(), path.stat().st_size):
            _add_zeros(digest, start - at)
            disk.seek(start)
            while piece := disk.read(min(_PIECE_BYTES, end - disk.tell())):
                digest.update(piece)
            at = end
        _add_zeros(digest, path.stat().st_size - at)
    return digest.hexdigest()


def _add_zeros(digest: "hashlib._Hash", count: int) -> None:
    for done in range(0, count, _PIECE_BYTES):
        digest.update(_ZEROS[: count - done])
