"""Each byte of a disk has one owner; what is shared out sums to the whole."""

import pytest

from atomic_lib.formats.disk.qcow2 import Qcow2
from atomic_lib.measure.disk_map import allocated_pieces, share_clusters, share_out


@pytest.mark.parametrize(
    ("size_bytes", "weights", "shares"),
    [
        (10, {"a": 1}, {"a": 10}),
        (10, {"a": 1, "b": 1, "c": 1}, {"a": 4, "b": 3, "c": 3}),
        (100, {"a": 4096, "b": 8192, "c": 53248}, {"a": 6, "b": 13, "c": 81}),
        (1, {"a": 1, "b": 3}, {"a": 0, "b": 1}),
        (0, {"a": 1, "b": 3}, {"a": 0, "b": 0}),
    ],
)
def test_shares_are_whole_and_sum_to_the_whole(
    size_bytes: int, weights: dict[str | int, int], shares: dict[str | int, int]
) -> None:
    assert share_out(size_bytes, weights) == shares
    assert sum(shares.values()) == size_bytes


@pytest.mark.parametrize(
    ("ranges", "pieces"),
    [
        ([(0, 10)], [(0, 10, "a")]),
        ([(5, 45)], [(5, 10, "a"), (10, 20, "free"), (20, 30, "b"), (30, 40, 7), (40, 45, "free")]),
        ([(0, 1), (9, 11), (39, 41)], [(0, 1, "a"), (9, 10, "a"), (10, 11, "free"), (39, 40, 7), (40, 41, "free")]),
        ([(50, 60)], [(50, 60, "free")]),
        ([], []),
    ],
)
def test_ranges_are_cut_where_the_owner_changes(
    ranges: list[tuple[int, int]], pieces: list[tuple[int, int, str | int]]
) -> None:
    segments: list[tuple[int, int, str | int]] = [(0, 10, "a"), (20, 30, "b"), (30, 40, 7)]
    assert list(allocated_pieces(ranges, segments)) == pieces


def test_blocks_that_hold_data_are_those_of_the_disk_wherever_a_piece_begins() -> None:
    clusters = Qcow2(3 * 65536, 65536, {0: 700, 1: 900}, 0, 0)
    disk = bytearray(3 * 65536)
    disk[4095] = disk[5000] = disk[20000] = disk[65536] = disk[131072] = 1
    ends = {"zeros": 3000, "a": 9000, "b": 60000, "c": 131073}
    pieces = zip((0, *ends.values()), ends.values(), ends, strict=False)
    shared = share_clusters(bytes(disk), pieces, clusters)
    assert shared == share_out(700, {"a": 1096 + 4096, "b": 4096}) | {"c": 900}
