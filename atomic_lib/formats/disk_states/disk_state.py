"""The content that a disk has after some of the requests of a log, read without writing it out.

A state is the disk before the log, and where the content of each block that was written is now. It takes no copy of
the disk, so that thousands of states can be looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from mmap import mmap

from atomic_lib.formats.disk.ext4_layout import DiskBytes
from atomic_lib.formats.disk_states.write_log import LoggedRequest

BLOCK_BYTES = 4096
_ZEROS = bytes(BLOCK_BYTES)

Source = int | bytes
"""The content of a block: its offset in the log, or the content itself."""


@dataclass(frozen=True)
class Recorded:
    """A disk before its log began, and the log."""

    base: DiskBytes
    log: mmap | bytes
    _first_of: dict[bytes, int] = field(default_factory=dict, repr=False, compare=False)
    _known: dict[int, int] = field(default_factory=dict, repr=False, compare=False)

    def source(self, offset: int) -> int:
        """Where in the log the content at ``offset`` stands for the first time: equal contents have one source."""
        if offset not in self._known:
            digest = blake2b(self.log[offset : offset + BLOCK_BYTES], digest_size=16).digest()
            self._known[offset] = self._first_of.setdefault(digest, offset)
        return self._known[offset]


@dataclass(frozen=True)
class DiskState:
    """A disk on which ``blocks`` have been written, by their number; its bytes are read by slices."""

    recorded: Recorded
    blocks: Mapping[int, Source]

    def __len__(self) -> int:
        return len(self.recorded.base)

    def __getitem__(self, place: slice) -> bytes:
        start, stop, _ = place.indices(len(self))
        first, last = start // BLOCK_BYTES, (stop - 1) // BLOCK_BYTES
        if first == last:
            return self._part(first, start % BLOCK_BYTES, stop - start)
        content = b"".join(self.block(number) for number in range(first, last + 1))
        return content[start - first * BLOCK_BYTES : stop - first * BLOCK_BYTES]

    def block(self, number: int) -> bytes:
        """The content of a block of the disk."""
        return self._part(number, 0, BLOCK_BYTES)

    def with_blocks(self, blocks: Mapping[int, Source]) -> "DiskState":
        """The same with further blocks written."""
        return DiskState(self.recorded, {**self.blocks, **blocks})

    def _part(self, number: int, offset: int, count: int) -> bytes:
        source = self.blocks.get(number)
        if source is None:
            start = number * BLOCK_BYTES + offset
            return self.recorded.base[start : start + count]
        if isinstance(source, int):
            return self.recorded.log[source + offset : source + offset + count]
        return source[offset : offset + count]


def apply_requests(recorded: Recorded, blocks: dict[int, Source], requests: Iterable[LoggedRequest]) -> None:
    """Carry out requests, in their order, on ``blocks``. What is discarded reads as zeros."""
    for request in requests:
        if request.kind in ("write", "discard"):
            _apply(recorded, blocks, request)


def _apply(recorded: Recorded, blocks: dict[int, Source], request: LoggedRequest) -> None:
    start, end = request.disk_offset, request.disk_offset + request.size_bytes
    written = request.kind == "write"
    for number in range(start // BLOCK_BYTES, -(-end // BLOCK_BYTES)):
        place = number * BLOCK_BYTES
        if start <= place and place + BLOCK_BYTES <= end:
            blocks[number] = recorded.source(request.data_offset + place - start) if written else _ZEROS
            continue
        low, high = max(start, place), min(end, place + BLOCK_BYTES)
        old = DiskState(recorded, blocks).block(number)
        new = recorded.log[request.data_offset + low - start : request.data_offset + high - start]
        middle = new if written else _ZEROS[: high - low]
        blocks[number] = old[: low - place] + middle + old[high - place :]
