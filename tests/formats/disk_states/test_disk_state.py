"""States of a disk: what is read after some requests, without a copy of the disk."""

from atomic_lib.formats.disk_states.disk_state import DiskState, Recorded, Source, apply_requests
from atomic_lib.formats.disk_states.write_log import read_write_log
from tests.formats.disk_states.logs import DISCARD, block, entry, log


def state_of(base: bytes, data: bytes) -> DiskState:
    recorded, blocks = Recorded(base, data), dict[int, Source]()
    apply_requests(recorded, blocks, read_write_log(data, "own.log").requests)
    return DiskState(recorded, blocks)


BASE = block("1") + block("2") + block("3")


def test_a_state_has_what_was_written_last_and_else_the_base() -> None:
    state = state_of(BASE, log(entry(8, block("a")), entry(8, block("b"))))
    assert state[0 : len(state)] == block("1") + block("b") + block("3")
    assert (state[4095:4097], state[8190:8193], state[5000:5003]) == (b"1b", b"bb3", b"bbb")


def test_a_request_of_several_blocks_and_a_discard() -> None:
    state = state_of(BASE, log(entry(0, block("a") + block("b")), entry(0, count=8, flags=DISCARD)))
    assert state[0 : len(state)] == bytes(4096) + block("b") + block("3")


def test_a_write_of_less_than_a_block_leaves_the_rest() -> None:
    state = state_of(BASE, log(entry(9, b"x" * 512), entry(7, b"y" * 1024)))
    assert state[0 : len(state)] == b"1" * 3584 + b"y" * 1024 + b"x" * 512 + b"2" * 3072 + block("3")


def test_equal_contents_have_one_source() -> None:
    state = state_of(BASE, log(entry(0, block("a") + block("b")), entry(16, block("a"))))
    assert state.blocks[0] == state.blocks[2] != state.blocks[1]
