"""How many variants are made at once, and how long that takes at most."""

import pytest

from atomic_lib.pipeline.side_by_side.capacity import seconds_side_by_side, variants_at_once
from tests.guest.boots import own_variant

GIB = 1 << 30


@pytest.mark.parametrize(
    ("variants", "cpus", "memory_gib", "at_once"),
    [
        (3, 2, 24, 3),
        (10, 2, 24, 3),
        (2, 8, 64, 2),
        (3, 2, 8.9, 2),
        (3, 2, 5.9, 1),
        (3, 2, 0.5, 1),
        (3, 1, 24, 2),
    ],
)
def test_the_processors_the_memory_and_the_variants_limit_it(
    variants: int, cpus: int, memory_gib: float, at_once: int
) -> None:
    own = [own_variant(guest_memory_mib=2048)] * variants
    assert variants_at_once(own, cpus=cpus, memory_bytes=int(memory_gib * GIB)) == at_once


def test_the_largest_guest_counts_and_none_where_nothing_is_booted() -> None:
    large = own_variant(guest_memory_mib=7168)
    assert variants_at_once([own_variant(), large, own_variant()], cpus=2, memory_bytes=16 * GIB) == 2
    built = own_variant(guest_memory_mib=7168, last_stage="image")
    assert variants_at_once([built] * 3, cpus=2, memory_bytes=6 * GIB) == 3


def test_the_time_left_is_the_work_by_the_number_at_once_and_at_least_the_longest_variant() -> None:
    parts = {"a: compose": 40.0, "a: boot": 60.0, "b: compose": 50.0, "c: compose": 50.0}
    assert seconds_side_by_side(parts, 1) == parts
    assert sum(filter(None, seconds_side_by_side(parts, 2).values())) == pytest.approx(200 / 2 + 100 / 2)
    assert seconds_side_by_side({"a: boot": 100.0}, 3) == {"a: boot": pytest.approx(100.0)}


def test_a_part_of_unknown_length_stays_unknown() -> None:
    assert seconds_side_by_side({"a: boot": None}, 2) == {"a: boot": None}
    assert seconds_side_by_side({}, 2) == {}
