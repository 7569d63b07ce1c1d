"""Small disk images for tests: a partition table, an ext4 file system by mke2fs, a qcow2 by hand."""

import os
import shutil
import struct
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.formats.disk.gpt import SECTOR_BYTES

BIOS_SECTOR, ESP_SECTOR, ROOT_SECTOR = 64, 128, 256
ROOT_START = ROOT_SECTOR * SECTOR_BYTES
_ROOT_BYTES = 24 << 20
_END_SECTORS = 64
_CLUSTER_BITS = 16
_CLUSTER_BYTES = 1 << _CLUSTER_BITS
QCOW2_TABLES = 5
"""The clusters before the data in a qcow2 by ``make_qcow2``."""
QCOW2_DATA = QCOW2_TABLES * _CLUSTER_BYTES


def make_raw(path: Path, content: Path, *, block_bytes: int = 4096) -> None:
    """A sparse disk with a boot loader, an ESP, and a root file system that holds ``content``."""
    mke2fs = shutil.which("mke2fs", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if mke2fs is None:
        pytest.skip("mke2fs is not installed (package e2fsprogs)")
    write_disk(path)
    options = f"offset={ROOT_START},root_owner={os.getuid()}:{os.getgid()}"
    command.run([mke2fs, "-q", "-t", "ext4", "-b", str(block_bytes), "-J", "size=4", "-E", options, "-d", content,
                 path, f"{_ROOT_BYTES // 1024}k"])  # fmt: skip


def write_disk(path: Path) -> None:
    """A sparse disk with a boot loader, an ESP, and an empty partition for the root file system."""
    with open(path, "wb") as disk:
        disk.truncate(ROOT_START + _ROOT_BYTES + _END_SECTORS * SECTOR_BYTES)
        disk.write(b"boot code")
        disk.seek(BIOS_SECTOR * SECTOR_BYTES)
        disk.write(b"core image" * 100)
        disk.seek(ESP_SECTOR * SECTOR_BYTES)
        disk.write(b"FAT")
        disk.flush()
        _write_table(disk.fileno())


def _write_table(descriptor: int) -> None:
    sectors = os.fstat(descriptor).st_size // SECTOR_BYTES
    last = sectors - 34
    entries = b""
    for name, first, end in (("bios", BIOS_SECTOR, ESP_SECTOR), ("esp", ESP_SECTOR, ROOT_SECTOR),
                             ("root", ROOT_SECTOR, ROOT_SECTOR + _ROOT_BYTES // SECTOR_BYTES)):  # fmt: skip
        entries += struct.pack("<16s16sQQQ72s", b"k" * 16, b"u" * 16, first, end - 1, 0, name.encode("utf-16-le"))
    for here, other, table in ((1, sectors - 1, 2), (sectors - 1, 1, sectors - 33)):
        header = struct.pack("<8s4sIIIQQQQ16sQIII", b"EFI PART", b"\0\0\1\0", 92, 0, 0, here, other, 34, last,
                             b"d" * 16, table, 128, 128, 0)  # fmt: skip
        os.pwrite(descriptor, header, here * SECTOR_BYTES)
        os.pwrite(descriptor, entries, table * SECTOR_BYTES)


def zstd_frame(size_bytes: int) -> bytes:
    """A frame of one raw block of ``size_bytes``, which no test decompresses."""
    return (
        b"\x28\xb5\x2f\xfd\xa0"
        + struct.pack("<I", size_bytes)
        + (size_bytes << 3 | 1).to_bytes(3, "little")
        + bytes(size_bytes)
    )


def make_qcow2(path: Path, raw: bytes, *, plain: frozenset[int] = frozenset()) -> None:
    """The disk ``raw`` as qcow2: clusters ``plain`` as they are, others as frames a third as long as their data.

    In the file: header, L1 table, L2 table, refcount table, refcount block, then the data,
    padded to whole clusters as qemu-img does.
    """
    l2, data = [0] * (_CLUSTER_BYTES // 8), b""
    uses = [1] * QCOW2_TABLES
    for number, start in enumerate(range(0, len(raw), _CLUSTER_BYTES)):
        cluster = raw[start : start + _CLUSTER_BYTES]
        if number in plain:
            data += bytes(-len(data) % _CLUSTER_BYTES)
            place, stored = QCOW2_DATA + len(data), cluster.ljust(_CLUSTER_BYTES, b"\0")
            l2[number], last = place | 1 << 63, place + _CLUSTER_BYTES - 1
        elif cluster.strip(b"\0"):
            place, stored = QCOW2_DATA + len(data), zstd_frame((len(cluster) - cluster.count(0)) // 3)
            sectors = (place + len(stored) - 1) // SECTOR_BYTES - place // SECTOR_BYTES
            l2[number] = 1 << 62 | sectors << 54 | place
            last = (place // SECTOR_BYTES + sectors) * SECTOR_BYTES
        else:
            continue
        data += stored
        uses += [0] * (last // _CLUSTER_BYTES + 1 - len(uses))
        for used in range(place // _CLUSTER_BYTES, last // _CLUSTER_BYTES + 1):
            uses[used] += 1
    header = struct.pack(">4sIQIIQIIQQIIQQQQIIB", b"QFI\xfb", 3, 0, 0, _CLUSTER_BITS, len(raw), 0, 1, _CLUSTER_BYTES,
                         3 * _CLUSTER_BYTES, 1, 0, 0, 8, 0, 0, 4, 112, 1)  # fmt: skip
    tables = (header, struct.pack(">Q", 2 * _CLUSTER_BYTES | 1 << 63), struct.pack(f">{len(l2)}Q", *l2),
              struct.pack(">Q", 4 * _CLUSTER_BYTES), struct.pack(f">{len(uses)}H", *uses))  # fmt: skip
    data += bytes(-len(data) % _CLUSTER_BYTES)
    path.write_bytes(b"".join(table.ljust(_CLUSTER_BYTES, b"\0") for table in tables) + data)
