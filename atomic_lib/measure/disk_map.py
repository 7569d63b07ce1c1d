"""The owner of each allocated byte of a raw disk image, and of each byte of the compressed image."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import Range
from atomic_lib.formats.disk.ext4 import Ext4, Label
from atomic_lib.formats.disk.ext4_layout import DiskBytes
from atomic_lib.formats.disk.gpt import BOOT_CODE_BYTES, PartitionTable
from atomic_lib.formats.disk.qcow2 import Qcow2, read_qcow2
from atomic_lib.formats.disk.raw_disk import open_disk_file, open_raw_disk

PARTITION_TABLE, BOOT_SECTORS, ESP, FREE = "partition-table", "boot-sectors", "esp", "free"
HOST_FILE_SYSTEM = "host-file-system"
QCOW2_METADATA, QCOW2_GAPS = "qcow2-metadata", "qcow2-gaps"
_BLOCK_BYTES = 4096
_ZEROS = bytes(_BLOCK_BYTES)
_HOST_SHARE, _HOST_LEAST_BYTES = 0.01, 1 << 20

Segment = tuple[int, int, Label]
"""A part of the disk in bytes (start, end), and its owner: an inode of the root file system, or a part's name."""


@dataclass(frozen=True)
class DiskMap:
    """The bytes of each owner, in the raw image and in the qcow2; ``files`` is the root file system."""

    image_bytes: Mapping[Label, int]
    qcow2_bytes: Mapping[Label, int]
    files: Ext4


def map_disk(raw: Path, qcow2: Path, ranges: Sequence[Range], allocated_bytes: int) -> DiskMap:
    """Attribute every allocated byte of a disk, and every byte of ``qcow2``, which is the same disk.

    ``ranges`` were allocated when the disk was made, in sum ``allocated_bytes``; ``raw`` has its content, and may have
    other holes. A file takes its allocated blocks on the disk; a hole takes none. The bytes
    of a compressed cluster are shared out over its blocks that are not zero. ``host-file-system``
    is what the host's file system reports as allocated beyond the ranges that it lists: its own
    metadata of the file.

    Raises WorkbookError naming a file that is not such an image, is cut off or damaged.
    """
    with open_raw_disk(raw) as disk, open_disk_file(qcow2) as compressed:
        clusters = read_qcow2(compressed, str(qcow2))
        if clusters.virtual_bytes != len(disk.data):
            raise WorkbookError(f"{qcow2}: a disk of {clusters.virtual_bytes} bytes, but {raw} has {len(disk.data)}")
        pieces = list(allocated_pieces(ranges, disk_segments(disk.table, disk.files)))
        shared = share_clusters(disk.data, pieces, clusters)
        shared.update({QCOW2_METADATA: clusters.metadata_bytes, QCOW2_GAPS: clusters.gap_bytes})
    image: Counter[Label] = Counter()
    for start, end, label in pieces:
        image[label] += end - start
    image[HOST_FILE_SYSTEM] += _host_bytes(raw, allocated_bytes, sum(image.values()))
    return DiskMap(image, shared, disk.files)


def disk_segments(table: PartitionTable, files: Ext4) -> list[Segment]:
    """The owner of each part of the disk, in order; space between segments is free."""
    kinds = {"bios": BOOT_SECTORS, "esp": ESP}
    segments: list[Segment] = [
        (0, BOOT_CODE_BYTES, BOOT_SECTORS),
        (BOOT_CODE_BYTES, table.first_usable, PARTITION_TABLE),
    ]
    segments += [(part.start, part.end, kinds[part.name]) for part in table.partitions if part.name in kinds]
    place = files.start
    for first, count, label in files.runs:
        start = place + first * files.block_bytes
        segments.append((start, start + count * files.block_bytes, label))
    segments.append((table.usable_end, 2**63, PARTITION_TABLE))
    return sorted(segments, key=lambda segment: segment[:2])


def allocated_pieces(ranges: Iterable[Range], segments: list[Segment]) -> Iterator[Segment]:
    """The allocated ranges, cut where the owner changes."""
    starts = [start for start, _, _ in segments]
    for start, end in ranges:
        place = start
        number = max(0, bisect_right(starts, place) - 1)
        while place < end:
            while number < len(segments) and segments[number][1] <= place:
                number += 1
            low, high, label = segments[number] if number < len(segments) else (end, end, FREE)
            if low > place:
                low, high, label = place, low, FREE
            yield place, min(end, high), label
            place = min(end, high)


def share_clusters(disk: DiskBytes, pieces: Iterable[Segment], clusters: Qcow2) -> Counter[Label]:
    """The stored bytes of each cluster, shared out over its blocks that hold data, in proportion to their bytes."""
    weights: dict[int, Counter[Label]] = {}
    for start, end, label in pieces:
        while start < end:
            number = start // clusters.cluster_bytes
            stop = min(end, (number + 1) * clusters.cluster_bytes)
            data_bytes = _data_bytes(disk[start:stop], start) if number in clusters.stored_bytes else 0
            if data_bytes:
                weights.setdefault(number, Counter())[label] += data_bytes
            start = stop
    total: Counter[Label] = Counter()
    for number, size_bytes in clusters.stored_bytes.items():
        total.update(share_out(size_bytes, weights.get(number, Counter({FREE: 1}))))
    return total


def _data_bytes(content: bytes, offset: int) -> int:
    """How many bytes are in blocks of the disk that are not all zeros; ``content`` begins at ``offset`` of the disk."""
    ends = range(_BLOCK_BYTES - offset % _BLOCK_BYTES, len(content) + _BLOCK_BYTES, _BLOCK_BYTES)
    blocks = (content[max(0, end - _BLOCK_BYTES) : end] for end in ends)
    return sum(len(block) for block in blocks if block != _ZEROS[: len(block)])


def share_out(size_bytes: int, weights: Mapping[Label, int]) -> dict[Label, int]:
    """``size_bytes`` divided in proportion to ``weights``, in whole bytes, by the largest remainder method."""
    whole = sum(weights.values())
    shares = {label: size_bytes * weight // whole for label, weight in weights.items()}
    rest = size_bytes - sum(shares.values())
    for label in sorted(weights, key=lambda label: -(size_bytes * weights[label] % whole))[:rest]:
        shares[label] += 1
    return shares


def _host_bytes(raw: Path, allocated_bytes: int, named_bytes: int) -> int:
    rest = allocated_bytes - named_bytes
    if not 0 <= rest <= max(_HOST_LEAST_BYTES, allocated_bytes * _HOST_SHARE):
        raise WorkbookError(
            f"{raw}: {named_bytes} bytes are in allocated ranges, but {allocated_bytes} were when it was made",
            hint="the file system that it was made on compresses: build the image on ext4 or XFS",
        )
    return rest
