"""What each byte of a compressed qcow2 file is for: data of a cluster, metadata, or a gap.

Formats: QEMU's docs/interop/qcow2.rst (header, L1 and L2 tables, refcounts, compressed
cluster descriptors). A descriptor gives the length of a
compressed cluster in whole sectors, and clusters share sectors, so the end of a cluster is read
from its zstd frame.

No library: ``qemu-img map`` gives no offsets of compressed clusters; dissect.hypervisor (AGPL)
reads L1 and L2 tables, but neither refcounts nor the end of a frame.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4_layout import DiskBytes
from atomic_lib.formats.disk.gpt import SECTOR_BYTES
from atomic_lib.formats.zstd_frame import frame_bytes

_HEADER = struct.Struct(">4sIQIIQIIQQIIQQQQIIB")
_MAGIC, _VERSION = b"QFI\xfb", 3
_COMPRESSION_TYPE_BIT = 1 << 3
_ZSTD = 1
_REFCOUNT_ORDER = 4
_REFCOUNT_BYTES = 2
_COMPRESSED = 1 << 62
_OFFSET = (1 << 56) - (1 << 9)


@dataclass(frozen=True)
class Qcow2:
    """A qcow2 file: ``stored_bytes``, ``metadata_bytes`` and ``gap_bytes`` add up to its size.

    ``stored_bytes``: the size in the file of each cluster's data, by the cluster's number on the disk.
    ``metadata_bytes``: the clusters of the header, of the L1 and L2 tables and of the refcounts.
    ``gap_bytes``: the unused bytes of clusters that hold compressed data.
    """

    virtual_bytes: int
    cluster_bytes: int
    stored_bytes: Mapping[int, int]
    metadata_bytes: int
    gap_bytes: int


@dataclass(frozen=True)
class _Extent:
    """A part of the file with one use. ``reserved_bytes``: the length that refcounts cover, at least ``size_bytes``."""

    offset: int
    size_bytes: int
    reserved_bytes: int

    @property
    def end(self) -> int:
        return self.offset + self.size_bytes


def read_qcow2(file: DiskBytes, name: str) -> Qcow2:
    """Read a qcow2 image.

    Raises WorkbookError naming the file (``name``): not a qcow2 of this workbook's making
    (version 3, zstd, neither backing file nor snapshots), cut off, or damaged: a byte with
    two uses or with none, or a refcount other than the uses of its cluster.
    """
    if len(file) < _HEADER.size or file[:4] != _MAGIC:
        raise WorkbookError(f"{name}: not a qcow2 image: it begins with {file[:4]!r}")
    (_, version, backing, _, cluster_bits, virtual_bytes, encryption, l1_entries, l1_offset,
     refcount_offset, refcount_clusters, snapshots, _, incompatible, _, _, order, _, compression,
    ) = _HEADER.unpack(file[: _HEADER.size])  # fmt: skip
    if (version, backing, encryption, snapshots, incompatible, order, compression) != (
        _VERSION, 0, 0, 0, _COMPRESSION_TYPE_BIT, _REFCOUNT_ORDER, _ZSTD,
    ) or not 9 <= cluster_bits <= 21:  # fmt: skip
        raise WorkbookError(
            f"{name}: a qcow2 image of another kind: version {version}, incompatible features {incompatible:#x}, "
            f"compression type {compression}",
            hint="the workbook writes version 3 with zstd and without backing file, encryption and snapshots",
        )
    tables = _Tables(file, name, cluster_bits)
    l2_tables = dict(tables.pointers(l1_offset, l1_entries))
    refcount_blocks = dict(tables.pointers(refcount_offset, refcount_clusters * tables.cluster_bytes // 8))
    metadata = [
        tables.clusters(0, 1),
        tables.clusters(l1_offset, 8 * l1_entries),
        tables.clusters(refcount_offset, refcount_clusters * tables.cluster_bytes),
        *(tables.clusters(offset, 1) for offset in (*l2_tables.values(), *refcount_blocks.values())),
    ]
    data = dict(tables.data(l2_tables))
    if any(number >= -(-virtual_bytes // tables.cluster_bytes) for number in data):
        raise tables.damaged(f"it has clusters beyond its {virtual_bytes} bytes")
    extents = sorted([*metadata, *data.values()], key=lambda extent: (extent.offset, extent.end))
    gap_bytes = sum(stop - start for start, stop in tables.gaps(extents))
    tables.require_refcounts(refcount_blocks, extents)
    stored = {number: extent.size_bytes for number, extent in data.items()}
    return Qcow2(virtual_bytes, tables.cluster_bytes, stored, sum(one.size_bytes for one in metadata), gap_bytes)


@dataclass(frozen=True)
class _Tables:
    """Reads the tables of a file and checks them against each other."""

    file: DiskBytes
    name: str
    cluster_bits: int

    @property
    def cluster_bytes(self) -> int:
        return 1 << self.cluster_bits

    def damaged(self, what: str) -> WorkbookError:
        return WorkbookError(f"{self.name}: damaged or cut off: {what}", hint="qemu-img check shows more")

    def clusters(self, offset: int, size_bytes: int) -> _Extent:
        """The whole clusters that a table, or plain data, of ``size_bytes`` takes."""
        if offset % self.cluster_bytes:
            raise self.damaged(f"byte {offset} is not the first of a cluster")
        whole = -(-size_bytes // self.cluster_bytes) * self.cluster_bytes
        return _Extent(offset, whole, whole)

    def pointers(self, offset: int, count: int) -> Iterator[tuple[int, int]]:
        """The clusters that a table of ``count`` entries points to, by the number of the entry."""
        for number, entry in enumerate(self._numbers(offset, count, "Q")):
            if entry & _OFFSET:
                yield number, entry & _OFFSET

    def data(self, l2_tables: Mapping[int, int]) -> Iterator[tuple[int, _Extent]]:
        """The data of each cluster of the disk that has any, by the cluster's number."""
        count = self.cluster_bytes // 8
        for table, offset in l2_tables.items():
            for place, entry in enumerate(self._numbers(offset, count, "Q")):
                if entry & _COMPRESSED:
                    yield table * count + place, self._compressed(entry)
                elif entry & _OFFSET:
                    yield table * count + place, self.clusters(entry & _OFFSET, 1)

    def gaps(self, extents: Sequence[_Extent]) -> Iterator[tuple[int, int]]:
        """The ranges between ``extents`` (sorted), each within a cluster that an extent uses in part."""
        used, place = {cluster for extent in extents for cluster in self._touched(extent.offset, extent.end)}, 0
        for extent in [*extents, _Extent(len(self.file), 0, 0)]:
            if extent.offset < place or extent.end > len(self.file):
                raise self.damaged(f"cluster data at byte {extent.offset} overlaps other data, or the end of the file")
            for cluster in self._touched(place, extent.offset):
                start = max(place, cluster << self.cluster_bits)
                stop = min(extent.offset, cluster + 1 << self.cluster_bits)
                if cluster not in used:
                    raise self.damaged(f"nothing uses the bytes from {start} to {stop}")
                yield start, stop
            place = extent.end

    def require_refcounts(self, blocks: Mapping[int, int], extents: Iterable[_Extent]) -> None:
        """Refuse a cluster of the file whose refcount is not the number of its uses."""
        uses: Counter[int] = Counter()
        for extent in extents:
            uses.update(self._touched(extent.offset, extent.offset + extent.reserved_bytes))
        per_block = self.cluster_bytes // _REFCOUNT_BYTES
        refcounts = {
            block * per_block + place: refcount
            for block, offset in blocks.items()
            for place, refcount in enumerate(self._numbers(offset, per_block, "H"))
            if refcount
        }
        for cluster in sorted(uses.keys() | refcounts.keys()):
            if uses[cluster] != refcounts.get(cluster, 0):
                raise self.damaged(
                    f"the cluster at byte {cluster << self.cluster_bits} has {uses[cluster]} uses, "
                    f"but its refcount is {refcounts.get(cluster, 0)}"
                )

    def _touched(self, start: int, end: int) -> range:
        """The numbers of the clusters that have bytes from ``start`` to ``end``."""
        return range(start >> self.cluster_bits, -(-end >> self.cluster_bits))

    def _compressed(self, entry: int) -> _Extent:
        bits = 62 - (self.cluster_bits - 8)
        offset = entry & ((1 << bits) - 1)
        sectors = (entry & (_COMPRESSED - 1)) >> bits
        reserved_bytes = SECTOR_BYTES - offset % SECTOR_BYTES + sectors * SECTOR_BYTES
        try:
            size_bytes = frame_bytes(self.file, offset)
        except ValueError as error:
            raise self.damaged(str(error)) from None
        if size_bytes > reserved_bytes:
            raise self.damaged(f"the zstd frame at byte {offset} is longer than its {sectors + 1} sectors")
        return _Extent(offset, size_bytes, reserved_bytes)

    def _numbers(self, offset: int, count: int, form: str) -> tuple[int, ...]:
        layout = struct.Struct(f">{count}{form}")
        if offset + layout.size > len(self.file):
            raise self.damaged(f"a table at byte {offset} is past its end at {len(self.file)}")
        return layout.unpack(self.file[offset : offset + layout.size])
