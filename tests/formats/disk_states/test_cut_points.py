"""Cut points: all flushes, and between two flushes the bounded ways in which writes are missing."""

from atomic_lib.formats.disk_states.cut_points import BETWEEN, Cut, Epoch, cuts_of, epochs_of, share_of
from atomic_lib.formats.disk_states.write_log import LoggedRequest, read_write_log
from tests.formats.disk_states.logs import FLUSH, FUA, block, entry, log


def requests_of(*entries: bytes) -> tuple[LoggedRequest, ...]:
    return read_write_log(log(*entries), "own.log").requests


def writes(count: int) -> list[bytes]:
    return [entry(8 * number, block(chr(97 + number))) for number in range(count)]


def letters(cut: Cut) -> str:
    """The writes that are kept; a capital letter for one of which only a part is."""
    names = (chr(97 + one.disk_offset // 4096) for one in cut.kept)
    return "".join(
        name.upper() if one.size_bytes < 4096 * 2 and cut.kind == "torn" and one is cut.kept[-1] else name
        for name, one in zip(names, cut.kept, strict=True)
    )


FLUSHED = entry(0, flags=FLUSH)


def test_an_epoch_ends_at_each_flush() -> None:
    requests = requests_of(*writes(2), FLUSHED, *writes(1), FLUSHED)
    assert epochs_of(requests, 0) == [Epoch(0, 2), Epoch(2, 4), Epoch(4, 5)]
    assert epochs_of(requests, 1) == [Epoch(1, 2), Epoch(2, 4), Epoch(4, 5)]


def test_a_write_that_flushes_first_begins_an_epoch() -> None:
    requests = requests_of(*writes(1), entry(8, block("b"), flags=FLUSH), *writes(1))
    assert epochs_of(requests, 0) == [Epoch(0, 1), Epoch(1, 3)]


def test_every_flush_is_a_cut_also_without_others() -> None:
    requests = requests_of(*writes(3), FLUSHED, *writes(2), FLUSHED)
    found = list(cuts_of(requests, epochs_of(requests, 0), 0))
    assert [(cut.kind, cut.epoch.start, cut.kept) for cut in found] == [("at a flush", 0, ()), ("at a flush", 3, ()),
                                                                        ("at a flush", 6, ())]  # fmt: skip


def test_between_flushes_writes_are_missing_in_each_of_the_ways() -> None:
    requests = requests_of(*writes(4))
    cuts = list(cuts_of(requests, epochs_of(requests, 0), 1000))
    found = {kind: {letters(cut) for cut in cuts if cut.kind == kind} for kind in BETWEEN}
    assert found["in order"] == {"a", "ab", "abc"}
    assert found["torn"] == set()
    assert found["one missing"] == {"bcd", "acd", "abd"}  # without the last one it is in order
    assert found["one alone"] == {"b", "c", "d"}
    assert found["at random"] == {"ac", "ad", "bc", "bd", "cd"}


def test_no_state_of_an_epoch_is_there_twice() -> None:
    requests = requests_of(*writes(3))
    kept = [letters(cut) for cut in cuts_of(requests, epochs_of(requests, 0), 1000)]
    assert sorted(kept) == ["", "a", "ab", "ac", "b", "bc", "c"]


def test_the_share_of_an_epoch_gives_about_as_many_cuts_as_asked_for() -> None:
    requests = requests_of(*writes(1), FLUSHED, *writes(2), FLUSHED, *writes(26), FLUSHED, *writes(26))
    epochs = epochs_of(requests, 0)
    found = [len(list(cuts_of(requests, epochs, share_of(requests, epochs, count)))) for count in (1, 4, 40, 100)]
    assert found[:2] == [4, 4]
    assert 30 <= found[2] <= 40
    assert 80 <= found[3] <= 100


def test_a_request_is_torn_to_whole_blocks() -> None:
    requests = requests_of(entry(0, block("a") * 2), entry(16, block("c") * 3))
    torn = [cut for cut in cuts_of(requests, epochs_of(requests, 0), 1000) if cut.kind == "torn"]
    assert [[one.size_bytes for one in cut.kept] for cut in torn] == [[4096], [8192, 4096]]


def test_the_bound_holds_and_each_kind_has_its_share() -> None:
    requests = requests_of(*(entry(16 * number, block("x") * 2) for number in range(50)))
    cuts = list(cuts_of(requests, epochs_of(requests, 0), 25))
    assert len(cuts) == 26
    assert {cut.kind for cut in cuts} == {"at a flush", *BETWEEN}
    assert cuts == list(cuts_of(requests, epochs_of(requests, 0), 25))


def test_a_durable_write_is_not_missing_from_what_comes_after_it() -> None:
    requests = requests_of(entry(0, block("a")), entry(8, block("b"), flags=FUA), entry(16, block("c")))
    found = {letters(cut) for cut in cuts_of(requests, epochs_of(requests, 0), 1000)}
    assert "ac" not in found
    assert "c" not in found
    assert {"", "a", "b", "bc"} <= found
