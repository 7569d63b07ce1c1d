"""The replay of a journal that debugfs wrote, against that of e2fsck."""

import struct
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4_layout import Layout
from atomic_lib.formats.disk.raw_disk import map_file, open_raw_disk
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Recorded
from atomic_lib.formats.disk_states.ext4_journal import open_journal
from tests.formats.disk.disk_image import ROOT_START, make_raw
from tests.formats.disk_states.logs import block

MAGIC = struct.pack(">I", 0xC03B3998)


@dataclass(frozen=True)
class Made:
    """A disk, and the block of the file system that has the content of each file."""

    raw: Path
    layout: Layout
    blocks: dict[str, int]

    def journal(self, *lines: str) -> None:
        """Write transactions to the journal, as debugfs is told to."""
        text = "".join(f"{line}\n" for line in ("jo -c -v 3", *lines, "jc"))
        words = ["debugfs", "-w", "-f", "-", f"{self.raw}?offset={ROOT_START}"]
        done = command.run(words, input=text, timeout_seconds=30)
        assert done.stderr.splitlines()[1:] == [], done.stderr

    def replayed(self) -> dict[int, bytes]:
        """What the replay writes, by block of the file system."""
        with map_file(self.raw) as disk:
            state = DiskState(Recorded(disk, b""), {})
            found = open_journal(state, self.layout).replay(state)
            after = state.with_blocks(found)
            return {number - ROOT_START // BLOCK_BYTES: after.block(number) for number in found}

    def by_e2fsck(self) -> bytes:
        """The file system after e2fsck has replayed the journal."""
        copy = self.raw.with_name("copy.ext4")
        copy.write_bytes(self.raw.read_bytes()[ROOT_START:])
        command.run(["e2fsck", "-y", "-E", "journal_only", copy], timeout_seconds=60)
        return copy.read_bytes()


@pytest.fixture
def made(tmp_path: Path) -> Made:
    (tmp_path / "content").mkdir()
    for name in "abc":
        (tmp_path / "content" / name).write_bytes(block(name))
        (tmp_path / name.upper()).write_bytes(block(name.upper()))
    make_raw(tmp_path / "disk.raw", tmp_path / "content")
    with open_raw_disk(tmp_path / "disk.raw") as disk:
        blocks = {path[1:]: inode.data[0][1] for path, inode in disk.inodes.items()}
        made = Made(tmp_path / "disk.raw", disk.files.layout, blocks)
    return made


def at(disk: bytes, number: int) -> bytes:
    return disk[number * BLOCK_BYTES :][:BLOCK_BYTES]


def test_an_empty_journal_writes_nothing(made: Made) -> None:
    assert made.replayed() == {}


def test_transactions_are_replayed_in_their_order_as_e2fsck_does(made: Made) -> None:
    a, b, c = (made.blocks[name] for name in "abc")
    directory = made.raw.parent
    made.journal(f"jw -b {a},{b} {two(directory)}", f"jw -b {b} {directory}/C")
    found = made.replayed()
    assert (found[a], found[b]) == (block("A"), block("C"))
    after = made.by_e2fsck()
    assert (at(after, a), at(after, b), at(after, c)) == (block("A"), block("C"), block("c"))


def test_a_block_that_looks_like_one_of_the_journal_is_restored(made: Made) -> None:
    odd = MAGIC + block("x")[4:]
    (made.raw.parent / "odd").write_bytes(odd)
    made.journal(f"jw -b {made.blocks['a']} {made.raw.parent}/odd")
    assert made.replayed()[made.blocks["a"]] == odd == at(made.by_e2fsck(), made.blocks["a"])


def test_a_block_that_was_revoked_later_is_not_replayed(made: Made) -> None:
    a, b = made.blocks["a"], made.blocks["b"]
    made.journal(f"jw -b {a},{b} {two(made.raw.parent)}", f"jw -r {a}")
    found = made.replayed()
    assert a not in found
    assert found[b] == block("B")
    assert at(made.by_e2fsck(), a) == block("a")


def test_a_transaction_without_its_commit_block_does_not_count(made: Made) -> None:
    a = made.blocks["a"]
    made.journal(f"jw -b {a} {made.raw.parent}/A", f"jw -b {a} {made.raw.parent}/B")
    data = bytearray(made.raw.read_bytes())
    commits = [place for place in range(0, len(data), BLOCK_BYTES) if data[place : place + 8] == MAGIC + b"\0\0\0\2"]
    data[commits[-1] : commits[-1] + BLOCK_BYTES] = bytes(BLOCK_BYTES)
    made.raw.write_bytes(data)
    assert made.replayed()[a] == block("A")


def test_a_journal_with_unknown_features_is_refused(made: Made) -> None:
    made.journal(f"jw -b {made.blocks['a']} {made.raw.parent}/A")
    data = bytearray(made.raw.read_bytes())
    head = next(place for place in range(0, len(data), BLOCK_BYTES) if data[place : place + 8] == MAGIC + b"\0\0\0\4")
    data[head + 0x28 : head + 0x2C] = struct.pack(">I", 0x20)
    made.raw.write_bytes(data)
    with pytest.raises(WorkbookError, match="journal has features"):
        made.replayed()


def two(directory: Path) -> Path:
    """A file with the contents of two blocks."""
    path = directory / "two"
    path.write_bytes(block("A") + block("B"))
    return path
