"""Whether e2fsck repairs the file system of a state, and replays its journal to the same blocks as we do.

e2fsck gets a sparse copy with what it reads: all metadata, links, and of the content of regular files only what was
written since the disk was made.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.model import Count, Model
from atomic_lib.formats.disk.ext4 import Ext4, Label
from atomic_lib.formats.disk.ext4_inode import FILE
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState
from atomic_lib.formats.disk_states.ext4_journal import Journal
from atomic_lib.tools.sandbox import Bind, Tools

_COPY = "root.ext4"
_MOUNT = "/mnt/state"
_REPAIRED = (0, 1)
"""e2fsck(8): no errors; errors, which were corrected."""
_E2FSCK_SECONDS = 600
_ORPHAN = "orphaned inode"
"""In a line of e2fsck for each file that it releases: e2fsck/super.c."""


class Repair(Model):
    """What e2fsck made of one state: whether all is repaired, what it said, and how many replayed blocks differ.

    ``other_blocks``: None if files were open that had been deleted (orphans): e2fsck releases them with the replay, as
    the kernel does, which changes blocks that were replayed.
    """

    request: Count
    repaired: bool
    said: str
    other_blocks: Count | None


@dataclass(frozen=True)
class Repairer:
    """Has e2fsck repair states of the disk with the file system ``files``, in copies in ``directory``."""

    tools: Tools
    directory: Path
    files: Ext4
    journal: Journal

    def repair(self, state: DiskState, request: int) -> Repair:
        """Repair a copy of a state. Raises CommandError only if e2fsck cannot run."""
        copy = self.directory / _COPY
        replayed = self.journal.replay(state)
        try:
            self._write(copy, state)
            _, done = self._run("-y", "-E", "journal_only")
            compared = _ORPHAN not in done
            other = self._other_blocks(copy, state.with_blocks(replayed), [*replayed]) if compared else None
            first, said = self._run("-f", "-y")
            second, _ = self._run("-f", "-n")
        finally:
            copy.unlink(missing_ok=True)
        repaired = first in _REPAIRED and second == 0
        return Repair(request=request, repaired=repaired, said="" if first == 0 else said[-500:], other_blocks=other)

    def _write(self, copy: Path, state: DiskState) -> None:
        layout = self.files.layout
        first, count = layout.start // BLOCK_BYTES, layout.block_count
        metadata = [(start, length) for start, length, owner in self.files.runs if not self._is_file(owner)]
        with open(copy, "wb") as file:
            file.truncate(count * BLOCK_BYTES)
            for start, length in metadata:
                for block in range(start, start + length):
                    content = state.block(first + block)
                    if content.strip(b"\0"):
                        os.pwrite(file.fileno(), content, block * BLOCK_BYTES)
            for number in state.blocks:
                if first <= number < first + count:
                    os.pwrite(file.fileno(), state.block(number), (number - first) * BLOCK_BYTES)

    def _is_file(self, owner: Label) -> bool:
        """Whether blocks of this owner are the content of a regular file, which e2fsck does not read."""
        return isinstance(owner, int) and self.files.inodes[owner].kind == FILE

    def _other_blocks(self, copy: Path, state: DiskState, numbers: list[int]) -> int:
        """How many of the blocks that we replay are not the same in the copy, the superblock aside."""
        first = self.files.layout.start // BLOCK_BYTES
        with open(copy, "rb") as file:
            return sum(
                os.pread(file.fileno(), BLOCK_BYTES, (number - first) * BLOCK_BYTES) != state.block(number)
                for number in numbers
                if number != first
            )

    def _run(self, *options: str) -> tuple[int, str]:
        """The exit status of e2fsck, and what it said."""
        words = ["e2fsck", *options, f"{_MOUNT}/{_COPY}"]
        try:
            done = self.tools.run(
                words, binds=[Bind(self.directory, _MOUNT, writable=True)], timeout_seconds=_E2FSCK_SECONDS
            )
        except CommandError as error:
            if error.status is None or error.status < 0:
                raise
            return error.status, error.stdout
        return 0, done.stdout
