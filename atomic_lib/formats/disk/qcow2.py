"""What each cluster of a compressed qcow2 image takes in the file.

Formats: QEMU's docs/interop/qcow2.rst (header, L1 and L2 tables, compressed cluster
descriptors) and RFC 8878 (zstd frames). A descriptor gives the length of a compressed
cluster in whole sectors, and clusters share sectors: the frame itself says where it ends.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from mmap import mmap

from atomic_lib.base.errors import WorkbookError

_HEADER = struct.Struct(">4sIQIIQIIQQIIQQQQIIB")
_MAGIC, _VERSION = b"QFI\xfb", 3
_COMPRESSION_TYPE_BIT = 1 << 3
_ZSTD = 1
_COMPRESSED = 1 << 62
_OFFSET = (1 << 56) - (1 << 9)
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_RLE, _RESERVED = 1, 3


@dataclass(frozen=True)
class Qcow2:
    """A qcow2 file: ``stored_bytes`` is what a cluster's data takes in it, by the cluster's number in the disk."""

    virtual_bytes: int
    cluster_bytes: int
    stored_bytes: Mapping[int, int]


def read_qcow2(file: mmap, name: str) -> Qcow2:
    """The clusters of a qcow2 image.

    Raises WorkbookError naming the file (``name``): not a qcow2 of this workbook's making
    (version 3, zstd, neither backing file nor snapshots), cut off, or damaged.
    """
    if len(file) < _HEADER.size or file[:4] != _MAGIC:
        raise WorkbookError(f"{name}: not a qcow2 image: it begins with {bytes(file[:4])!r}")
    (_, version, backing, _, cluster_bits, virtual_bytes, encryption, l1_entries, l1_offset, _, _, snapshots, _,
     incompatible, _, _, _, _, compression) = _HEADER.unpack_from(file)  # fmt: skip
    if (version, backing, encryption, snapshots, incompatible, compression) != (
        _VERSION, 0, 0, 0, _COMPRESSION_TYPE_BIT, _ZSTD,
    ) or not 9 <= cluster_bits <= 21:  # fmt: skip
        raise WorkbookError(
            f"{name}: a qcow2 image of another kind: version {version}, incompatible features {incompatible:#x}, "
            f"compression type {compression}",
            hint="the workbook writes version 3 with zstd and without backing file, encryption and snapshots",
        )
    reader = _Reader(file, name, cluster_bits)
    pieces = {number: reader.piece(entry) for number, entry in reader.entries(l1_offset, l1_entries) if entry}
    clusters = -(-virtual_bytes // reader.cluster_bytes)
    end = 0
    for offset, size_bytes in sorted(piece for piece in pieces.values() if piece[1]):
        if offset < end or offset + size_bytes > len(file):
            raise reader.damaged(f"cluster data at byte {offset} overlaps other data, or the end of the file")
        end = offset + size_bytes
    if any(number >= clusters for number in pieces):
        raise reader.damaged(f"it has clusters beyond its {virtual_bytes} bytes")
    return Qcow2(virtual_bytes, reader.cluster_bytes, {number: size for number, (_, size) in pieces.items() if size})


@dataclass(frozen=True)
class _Reader:
    file: mmap
    name: str
    cluster_bits: int

    @property
    def cluster_bytes(self) -> int:
        return 1 << self.cluster_bits

    def damaged(self, what: str) -> WorkbookError:
        return WorkbookError(f"{self.name}: damaged or cut off: {what}", hint="qemu-img check shows more")

    def entries(self, l1_offset: int, l1_entries: int) -> Iterator[tuple[int, int]]:
        """The L2 entry of each cluster by its number in the disk."""
        per_table = self.cluster_bytes // 8
        for place, entry in enumerate(self._table(l1_offset, l1_entries)):
            if entry & _OFFSET:
                table = self._table(entry & _OFFSET, per_table)
                yield from enumerate(table, start=place * per_table)

    def piece(self, entry: int) -> tuple[int, int]:
        """Where the data of a cluster is and how many bytes it takes; none where the cluster is zero."""
        if not entry & _COMPRESSED:
            offset = entry & _OFFSET
            return offset, self.cluster_bytes if offset else 0
        bits = 62 - (self.cluster_bits - 8)
        offset = entry & ((1 << bits) - 1)
        try:
            return offset, self._frame_bytes(offset)
        except (struct.error, IndexError):
            raise self.damaged(f"the zstd frame at byte {offset} is past the end of the file") from None

    def _table(self, offset: int, count: int) -> tuple[int, ...]:
        if offset + 8 * count > len(self.file):
            raise self.damaged(f"a table at byte {offset} is past its end at {len(self.file)}")
        return struct.unpack_from(f">{count}Q", self.file, offset)

    def _frame_bytes(self, offset: int) -> int:
        """The length of the zstd frame at ``offset``, read from the headers of its blocks."""
        file = self.file
        if file[offset : offset + 4] != _ZSTD_MAGIC:
            raise self.damaged(f"no zstd frame at byte {offset}")
        descriptor = file[offset + 4]
        single = descriptor >> 5 & 1
        place = offset + 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + (single, 2, 4, 8)[descriptor >> 6]
        last = 0
        while not last:
            header = int.from_bytes((file[place], file[place + 1], file[place + 2]), "little")
            last, kind, size_bytes = header & 1, header >> 1 & 3, header >> 3
            if kind == _RESERVED:
                raise self.damaged(f"no zstd block at byte {place}")
            place += 3 + (1 if kind == _RLE else size_bytes)
        return place + (4 if descriptor >> 2 & 1 else 0) - offset
