"""What a cluster takes in a qcow2; a damaged file is named."""

import struct
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.qcow2 import Qcow2, read_qcow2
from tests.formats.disk.disk_image import make_qcow2, zstd_frame

CLUSTER = 65536


def read(path: Path) -> Qcow2:
    with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return read_qcow2(data, path.name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four clusters and a bit: full, empty, one stored as it is, a little, and the bit."""
    disk = b"a" * CLUSTER + bytes(CLUSTER) + b"b" * CLUSTER + b"c" * 300 + bytes(CLUSTER - 300) + b"d" * 512
    make_qcow2(tmp_path / "disk.qcow2", disk, plain=frozenset({2}))
    return tmp_path / "disk.qcow2"


def test_each_cluster_takes_what_is_stored_of_it(path: Path) -> None:
    found = read(path)
    assert (found.virtual_bytes, found.cluster_bytes) == (4 * CLUSTER + 512, CLUSTER)
    frames = {0: CLUSTER // 3, 3: 100, 4: 170}
    stored = {number: len(zstd_frame(size)) for number, size in frames.items()} | {2: CLUSTER}
    assert found.stored_bytes == stored


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"\x20\x05" + b"\x29\x00\x00" + b"hello", id="one-byte size"),
        pytest.param(b"\x64\x05\x00" + b"\x29\x00\x00" + b"hello" + b"SUMS", id="checksum"),
        pytest.param(b"\x00\x58" + b"\x28\x00\x00" + b"hello" + b"\x2b\xff\x01" + b"z", id="window, two blocks, run"),
    ],
)
def test_a_frame_ends_where_its_headers_say(tmp_path: Path, frame: bytes) -> None:
    make_qcow2(tmp_path / "disk.qcow2", b"a" * CLUSTER)
    with open(tmp_path / "disk.qcow2", "r+b") as file:
        file.seek(3 * CLUSTER)
        file.write(b"\x28\xb5\x2f\xfd" + frame + b"what follows is no part of it")
    assert read(tmp_path / "disk.qcow2").stored_bytes == {0: 4 + len(frame)}


def put(offset: int, data: bytes) -> Callable[[bytes], bytes]:
    return lambda old: old[:offset] + data + old[offset + len(data) :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (put(0, b"RAW!"), r"not a qcow2 image: it begins with b'RAW!'"),
        (lambda old: old[:50], "not a qcow2 image"),
        (put(7, b"\2"), "of another kind: version 2"),
        (put(79, b"\2"), "incompatible features 0x2"),
        (put(104, b"\0"), "compression type 0"),
        (put(60, b"\0\0\0\1"), "of another kind"),
        (lambda old: old[: CLUSTER + 100], "cut off: a table at byte 131072 is past its end"),
        (lambda old: old[:-10], r"cut off: cluster data at byte \d+ overlaps"),
        (lambda old: old[: 3 * CLUSTER + 6], "the zstd frame at byte 196608 is past the end"),
        (put(3 * CLUSTER, b"junk"), "no zstd frame at byte 196608"),
        (put(3 * CLUSTER + 9, b"\x07"), "no zstd block at byte 196617"),
        (put(2 * CLUSTER + 24, struct.pack(">Q", 1 << 62 | 3 * CLUSTER)), "overlaps"),
        (put(2 * CLUSTER + 800, struct.pack(">Q", 1 << 63 | 99 * CLUSTER)), "overlaps other data, or the end"),
        (put(24, struct.pack(">Q", 4 * CLUSTER)), "clusters beyond its 262144 bytes"),
    ],
)
def test_a_damaged_image_is_named(path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WorkbookError, match=f"disk.qcow2: .*{message}"):
        read(path)
