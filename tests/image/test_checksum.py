"""The checksum of a sparse file is that of all its bytes."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from atomic_lib.image.checksum import disk_sha256


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (0, {}),
        (5_000_001, {}),
        (5_000_001, {0: b"first", 4_999_999: b"e"}),
        (3 << 20, {1 << 20: b"x" * (1 << 20)}),
        (10_000, {9_990: b"the end..."}),
    ],
    ids=["empty", "one hole", "both ends", "between holes", "up to its end"],
)
def test_holes_count_as_zeros(tmp_path: Path, size: int, pieces: dict[int, bytes]) -> None:
    path = tmp_path / "disk"
    with open(path, "wb") as disk:
        disk.truncate(size)
        for at, data in pieces.items():
            os.pwrite(disk.fileno(), data, at)
    assert disk_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_cannot_be_read_is_no_hole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "disk"
    path.write_bytes(b"x" * 10)

    def broken(descriptor: int, offset: int, how: int) -> int:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr("atomic_lib.base.files.os.lseek", broken)
    with pytest.raises(OSError, match="input/output error"):
        disk_sha256(path)
