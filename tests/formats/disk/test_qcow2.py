"""What each byte of a qcow2 is for; errors name a damaged file."""

import struct
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.qcow2 import Qcow2, read_qcow2
from tests.formats.disk.disk_image import QCOW2_DATA, make_qcow2, zstd_frame

CLUSTER = 65536
L2, REFCOUNTS = 2 * CLUSTER, 4 * CLUSTER


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


def test_every_byte_is_data_or_metadata_or_a_gap(path: Path) -> None:
    found = read(path)
    frames = {0: CLUSTER // 3, 3: 100, 4: 170}
    first, *others = (len(zstd_frame(size)) for size in frames.values())
    assert found.metadata_bytes == QCOW2_DATA
    assert found.gap_bytes == CLUSTER - first + CLUSTER - sum(others)  # behind the first frame, and behind the others
    assert sum(found.stored_bytes.values()) + found.metadata_bytes + found.gap_bytes == path.stat().st_size


def test_a_gap_between_two_compressed_clusters_is_counted(path: Path) -> None:
    before = read(path)
    data = path.read_bytes()
    start, frame = QCOW2_DATA + 2 * CLUSTER, zstd_frame(100)
    assert data[start : start + len(frame)] == frame
    shorter = zstd_frame(60)  # the frame ends earlier, and what follows stays where it is
    path.write_bytes(put(start, shorter)(data))
    after = read(path)
    assert after.gap_bytes - before.gap_bytes == before.stored_bytes[3] - after.stored_bytes[3] == 40


def test_a_disk_of_nothing_has_no_gap(tmp_path: Path) -> None:
    make_qcow2(tmp_path / "disk.qcow2", bytes(CLUSTER))
    assert read(tmp_path / "disk.qcow2") == Qcow2(CLUSTER, CLUSTER, {}, QCOW2_DATA, 0)


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
        (put(99, b"\5"), "of another kind"),
        (lambda old: old[: CLUSTER + 100], "cut off: a table at byte 196608 is past its end"),
        (lambda old: old[: QCOW2_DATA + CLUSTER], "no zstd frame at byte 458752"),
        (lambda old: old[: QCOW2_DATA + 6], "the zstd frame at byte 327680 is past the end"),
        (put(QCOW2_DATA, b"junk"), "no zstd frame at byte 327680"),
        (put(QCOW2_DATA + 9, b"\x07"), "no zstd block at byte 327689"),
        (put(L2, struct.pack(">Q", 1 << 62 | QCOW2_DATA)), "is longer than its 1 sectors"),
        (put(L2 + 24, struct.pack(">Q", 1 << 62 | 43 << 54 | QCOW2_DATA)), "byte 327680 overlaps other data"),
        (put(L2 + 16, struct.pack(">Q", 1 << 63 | QCOW2_DATA)), "byte 327680 overlaps other data"),
        (put(L2 + 16, struct.pack(">Q", 1 << 63 | 6 * CLUSTER + 512)), "byte 393728 is not the first of a cluster"),
        (put(L2 + 16, struct.pack(">Q", 1 << 63 | REFCOUNTS)), "byte 262144 overlaps other data"),
        (put(L2 + 32, struct.pack(">Q", 1 << 63 | 99 * CLUSTER)), "byte 6488064 overlaps other data, or the end"),
        (put(L2 + 800, struct.pack(">Q", 1 << 63 | 6 * CLUSTER)), "clusters beyond its 262656 bytes"),
        (put(24, struct.pack(">Q", 4 * CLUSTER)), "clusters beyond its 262144 bytes"),
        (put(L2 + 16, bytes(8)), f"nothing uses the bytes from {6 * CLUSTER} to {7 * CLUSTER}"),
        (lambda old: old + b"more", f"nothing uses the bytes from {8 * CLUSTER} to {8 * CLUSTER + 4}"),
        (lambda old: old + bytes(CLUSTER), f"nothing uses the bytes from {8 * CLUSTER} to {9 * CLUSTER}"),
        (put(REFCOUNTS + 13, b"\2"), "the cluster at byte 393216 has 1 uses, but its refcount is 2"),
        (put(REFCOUNTS + 13, b"\0"), "the cluster at byte 393216 has 1 uses, but its refcount is 0"),
        (put(REFCOUNTS + 15, b"\1"), "the cluster at byte 458752 has 2 uses, but its refcount is 1"),
        (put(REFCOUNTS + 17, b"\1"), "the cluster at byte 524288 has 0 uses, but its refcount is 1"),
    ],
)
def test_a_damaged_image_is_named(path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WorkbookError, match=f"disk.qcow2: .*{message}"):
        read(path)
