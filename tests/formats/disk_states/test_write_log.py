"""Logs of writes are read as dm-log-writes writes them, and refused where they are not whole."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk_states.write_log import read_write_log
from tests.formats.disk_states.logs import DISCARD, FLUSH, FUA, SECTOR, block, entry, log


def test_requests_are_read_in_their_order() -> None:
    data = log(entry(8, block("a")), entry(0, flags=FLUSH), entry(16, count=8, flags=DISCARD), entry(24, block("b")))
    write, flush, discard, last = read_write_log(data, "own.log").requests
    assert (write.kind, write.disk_offset, write.size_bytes, write.flushes) == ("write", 4096, 4096, False)
    assert data[write.data_offset : write.data_offset + write.size_bytes] == block("a")
    assert (flush.kind, flush.size_bytes, flush.flushes) == ("flush", 0, True)
    assert (discard.kind, discard.disk_offset, discard.size_bytes) == ("discard", 8192, 4096)
    assert last.log_offset == discard.log_offset + SECTOR
    assert data[last.data_offset : last.data_offset + 4096] == block("b")


def test_a_write_can_flush_and_be_durable() -> None:
    (one,) = read_write_log(log(entry(0, block("a"), flags=FLUSH | FUA)), "own.log").requests
    assert (one.kind, one.flushes, one.durable) == ("write", True, True)


def test_what_the_first_sector_does_not_count_is_not_read() -> None:
    assert len(read_write_log(log(entry(0, block("a")), entry(8, block("b")), count=1), "own.log").requests) == 1


def test_the_length_at_a_moment_tells_how_many_requests_there_were() -> None:
    data = log(entry(0, block("a")), entry(0, flags=FLUSH), entry(8, block("b")))
    found = read_write_log(data, "own.log")
    assert found.index_at(SECTOR) == 0
    assert found.index_at(SECTOR + 1) == 1
    assert found.index_at(2 * SECTOR + 4096) == 1
    assert found.index_at(len(data)) == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "0 bytes are no log"),
        (log(magic=1), "no log of writes in the format of dm-log-writes"),
        (log(version=2), "version 2; version 1 is supported"),
        (log()[:24] + b"\x00\x03\x00\x00" + bytes(484), "sectors of 768 bytes"),
        (log(entry(0, block("a")), count=2), "cut off: 1 of 2 requests"),
        (log(entry(0, block("a")))[:-1], "cut off in the data of request 0 of 1"),
        (log(entry(0, block("a"), flags=64)), "request 0: unknown flags 0x40"),
        (log(entry(0)), "request 0: neither data nor a flush"),
    ],
)
def test_what_is_no_whole_log_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(WorkbookError, match=said) as caught:
        read_write_log(data, "own.log")
    assert caught.value.message.startswith("own.log: ")
