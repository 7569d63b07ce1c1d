"""What ext4's journal (jbd2) will write when the file system is mounted next.

Source of the format and of the rules of recovery: the Linux kernel's Documentation/filesystems/ext4/journal.rst and
fs/jbd2/recovery.c. Numbers are big-endian. Checksums of the journal are not verified: a transaction counts if its
commit block is there, which ext4 writes only once all else of it has been flushed. e2fsck verifies them.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from atomic_lib.formats.disk.ext4 import InodeReader
from atomic_lib.formats.disk.ext4_layout import Layout
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Source

_MAGIC = 0xC03B3998
_DESCRIPTOR, _COMMIT, _REVOKE = 1, 2, 5
_SUPERBLOCKS = (3, 4)
_64BIT, _CHECKSUM_3 = 0x2, 0x10
_KNOWN_INCOMPATIBLE = 0x1 | _64BIT | 0x4 | _CHECKSUM_3
_ESCAPED, _SAME_UUID, _LAST = 0x1, 0x2, 0x8
_HEAD_BYTES, _UUID_BYTES, _TAIL_BYTES = 12, 16, 4


@dataclass(frozen=True)
class _Super:
    """The journal's superblock: where the log begins (0: it is empty) and with which transaction."""

    length: int
    first: int
    sequence: int
    start: int
    incompatible: int


@dataclass
class Journal:
    """The journal of a file system; ``blocks``: where each block of it is, as blocks of the file system."""

    layout: Layout
    blocks: tuple[int, ...]

    def replay(self, state: DiskState) -> dict[int, Source]:
        """The blocks of the disk that recovery writes, by number, with what it writes.

        Raises WorkbookError where the journal is damaged, or has a feature that is not supported.
        """
        head = self._super(state)
        if not head.start:
            return {}
        writes: list[tuple[int, int, Source]] = []
        revoked: dict[int, int] = {}
        for sequence, found, revokes in self._transactions(state, head):
            writes += ((sequence, target, source) for target, source in found)
            revoked.update(dict.fromkeys(revokes, sequence))
        first = self.layout.start // BLOCK_BYTES
        return {
            first + target: source
            for sequence, target, source in writes
            if target not in revoked or revoked[target] < sequence
        }

    def _super(self, state: DiskState) -> _Super:
        raw = self._block(state, 0)
        magic, kind = struct.unpack_from(">II", raw)
        size, length, first, sequence, start = struct.unpack_from(">5I", raw, _HEAD_BYTES)
        incompatible = struct.unpack_from(">I", raw, 0x28)[0]
        if magic != _MAGIC or kind not in _SUPERBLOCKS or size != BLOCK_BYTES or length > len(self.blocks):
            raise self.layout.damaged("its journal has no superblock")
        if incompatible & ~_KNOWN_INCOMPATIBLE or not first <= (start or first) < length:
            raise self.layout.damaged(f"its journal has features or a start that are not supported: {incompatible:#x}")
        return _Super(length, first, sequence, start, incompatible)

    def _transactions(
        self, state: DiskState, head: _Super
    ) -> Iterator[tuple[int, list[tuple[int, Source]], list[int]]]:
        """Each transaction that was committed: its number, its blocks, and the blocks that it revokes."""
        place, sequence = head.start, head.sequence
        found: list[tuple[int, Source]] = []
        revokes: list[int] = []

        def after(number: int, count: int = 1) -> int:
            return head.first + (number - head.first + count) % (head.length - head.first)

        for _ in range(head.length):
            raw = self._block(state, place)
            magic, kind, number = struct.unpack_from(">3I", raw)
            if magic != _MAGIC or number != sequence:
                return
            place = after(place)
            if kind == _DESCRIPTOR:
                for target, flags in _tags(raw, head.incompatible):
                    found.append((target, self._source(state, place, escaped=bool(flags & _ESCAPED))))
                    place = after(place)
            elif kind == _REVOKE:
                revokes += _revoked(raw, head.incompatible)
            elif kind == _COMMIT:
                yield sequence, found, revokes
                sequence, found, revokes = (sequence + 1) & 0xFFFFFFFF, [], []
            else:
                return

    def _source(self, state: DiskState, place: int, *, escaped: bool) -> Source:
        number = self.blocks[place] + self.layout.start // BLOCK_BYTES
        source = state.blocks.get(number)
        if escaped:
            return struct.pack(">I", _MAGIC) + state.block(number)[4:]
        return state.block(number) if source is None else source

    def _block(self, state: DiskState, place: int) -> bytes:
        return state.block(self.blocks[place] + self.layout.start // BLOCK_BYTES)


def open_journal(state: DiskState, layout: Layout) -> Journal:
    """The journal of a file system, which must have blocks of 4 KiB; raises WorkbookError if it has none."""
    if layout.block_bytes != BLOCK_BYTES or layout.start % BLOCK_BYTES:
        raise layout.damaged(f"blocks of {layout.block_bytes} bytes at {layout.start} are not supported here")
    inode = InodeReader(state, layout).inode(layout.journal_inode) if layout.journal_inode else None
    if inode is None or not inode.data:
        raise layout.damaged("it has no journal")
    return Journal(layout, tuple(first + index for _, first, count, _ in inode.data for index in range(count)))


def _tags(raw: bytes, incompatible: int) -> Iterator[tuple[int, int]]:
    """The target and the flags of each block that a descriptor block announces."""
    third, wide = bool(incompatible & _CHECKSUM_3), bool(incompatible & _64BIT)
    size = 16 if third else 12 if wide else 8
    end = len(raw) - (_TAIL_BYTES if third else 0)
    place = _HEAD_BYTES
    while place + size <= end:
        low = struct.unpack_from(">I", raw, place)[0]
        flags = struct.unpack_from(">I" if third else ">H", raw, place + (4 if third else 6))[0]
        high = struct.unpack_from(">I", raw, place + 8)[0] if wide else 0
        yield high << 32 | low, flags
        if flags & _LAST:
            return
        place += size + (0 if flags & _SAME_UUID else _UUID_BYTES)


def _revoked(raw: bytes, incompatible: int) -> Iterator[int]:
    used = struct.unpack_from(">I", raw, _HEAD_BYTES)[0]
    form = struct.Struct(">Q" if incompatible & _64BIT else ">I")
    for place in range(_HEAD_BYTES + 4, min(used, len(raw)) - form.size + 1, form.size):
        yield form.unpack_from(raw, place)[0]
