"""Statistics: right on samples whose truth is known, silent where there are too few, no false alarms."""

import math
from collections.abc import Sequence
from itertools import combinations, product

import numpy
import pytest

from atomic_lib.measure import rank_statistics
from atomic_lib.measure.rank_statistics import (
    CONFIDENCE,
    LEAST_FOR_INTERVAL,
    NO_DIFFERENCE,
    SIGNIFICANT_P,
    Verdict,
    compare_samples,
    least_samples,
    rank_test_p,
    session_noise,
    smallest_p,
    summarize,
)

BOOT = (41.4, 40.9, 42.0, 41.2, 41.9, 41.6, 41.1)


def boots(generator: numpy.random.Generator, n: int, *, factor: float = 1.0) -> list[float]:
    """Times of boots as hosts make them: most of them close together, some late."""
    return [float(time) for time in factor * (40 + generator.lognormal(0, 0.5, n))]


def judged(base: Sequence[float], other: Sequence[float]) -> Verdict:
    """The verdict with the noise of the two."""
    found = compare_samples(base, other, session_noise([base, other]))
    assert found is not None
    return found


def test_a_summary_has_the_median_inside_its_interval() -> None:
    summary = summarize(BOOT)
    assert summary is not None
    assert (summary.n, summary.median) == (7, 41.4)
    assert summary.low is not None
    assert summary.high is not None
    assert (summary.least, summary.most) == (40.9, 42.0)
    assert min(BOOT) <= summary.low < summary.median < summary.high <= max(BOOT)


def test_the_same_samples_in_any_order_of_calls_give_the_same_interval() -> None:
    first = summarize(BOOT)
    summarize([*BOOT, 44.0])
    rank_statistics._summary.cache_clear()
    assert summarize(BOOT) == first


@pytest.mark.parametrize("n", range(1, LEAST_FOR_INTERVAL))
def test_too_few_samples_have_a_median_but_no_interval(n: int) -> None:
    summary = summarize(BOOT[:n])
    assert summary is not None
    assert (summary.low, summary.high) == (None, None)
    assert 1 - 2 / 2**n < CONFIDENCE


def test_no_samples_have_no_summary_and_no_verdict() -> None:
    assert summarize([]) is None
    assert compare_samples([], BOOT, 0.01) is None
    assert compare_samples(BOOT, [], 0.01) is None
    assert session_noise([]) is None
    assert session_noise([[], [41.0]]) is None


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, -0.1])
def test_what_is_no_time_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="not a time in seconds"):
        summarize([*BOOT, wrong])
    with pytest.raises(ValueError, match="not a time in seconds"):
        compare_samples(BOOT, [*BOOT, wrong], 0.01)
    with pytest.raises(ValueError, match="not a time in seconds"):
        session_noise([BOOT, [wrong, 1.0]])


def test_most_intervals_hold_the_true_median() -> None:
    generator = numpy.random.default_rng(1)
    found = [summarize(boots(generator, 10)) for _ in range(300)]
    held = sum(one is not None and (one.low or 0) <= 41 <= (one.high or 0) for one in found)
    assert held / len(found) > 0.88


def test_seven_of_each_are_the_least_for_a_word() -> None:
    assert least_samples() == 7
    assert smallest_p(6, 6) == pytest.approx(2 / 924)
    assert smallest_p(7, 7) == pytest.approx(2 / 3432)
    assert smallest_p(0, 5) == 1
    apart = [10.0 + step for step in range(7)], [20.0 + step for step in range(7)]
    assert rank_test_p(*apart) == pytest.approx(smallest_p(7, 7))


def test_the_reason_says_how_many_boots_are_missing() -> None:
    needed = "at least 7 of both are needed for p < 0.002"
    for base, other, had in ([40.0], [10.0], "one boot each"), ([1.0] * 6, [9.0] * 6, "6 boots each"), (
        [1.0] * 3, [9.0] * 5, "3 and 5 boots"
    ):  # fmt: skip
        verdict = compare_samples(base, other, 0.0)
        assert verdict is not None
        assert (verdict.word, verdict.reason) == (NO_DIFFERENCE, f"{had}; {needed}")
        assert (verdict.p_value, verdict.shift_low, verdict.shift_high) == (None, None, None)
        assert verdict.shift_seconds == other[0] - base[0]


def test_few_of_one_variant_can_be_made_up_by_many_of_the_other() -> None:
    verdict = judged([40.0 + step / 10 for step in range(20)], [20.0 + step / 10 for step in range(5)])
    assert (verdict.word, verdict.n_other) == ("faster", 5)


def test_of_all_ways_to_split_one_sample_a_false_alarm_is_as_rare_as_promised() -> None:
    pooled = BOOT + tuple(time + 0.05 for time in BOOT)
    splits = list(combinations(range(14), 7))
    alarms = 0
    for chosen in splits[: len(splits) // 2]:  # the others are the same with the sides changed
        rest = [pooled[place] for place in range(14) if place not in chosen]
        alarms += 2 * (rank_test_p([pooled[place] for place in chosen], rest) < SIGNIFICANT_P)
    assert 0 < alarms / len(splits) < SIGNIFICANT_P


@pytest.mark.parametrize("n", [7, 10, 15])
def test_a_thousand_sessions_without_a_change_keep_the_promised_rate(n: int) -> None:
    generator = numpy.random.default_rng(n)
    sessions = [(boots(generator, n), boots(generator, n)) for _ in range(1000)]
    suspects = [(base, other) for base, other in sessions if rank_test_p(base, other) < SIGNIFICANT_P]
    alarms = sum(judged(base, other).word != NO_DIFFERENCE for base, other in suspects)
    assert alarms / len(sessions) <= SIGNIFICANT_P


def test_a_host_that_gets_slower_during_the_session_makes_no_difference() -> None:
    generator = numpy.random.default_rng(4)
    for _ in range(20):
        turns = boots(generator, 16)
        drifting = [time * (1 + 0.2 * turn / 16) for turn, time in enumerate(turns)]
        assert judged(drifting[0::2], drifting[1::2]).word == NO_DIFFERENCE


@pytest.mark.parametrize(("factor", "word"), [(0.9, "faster"), (1.1, "slower")])
def test_a_planted_shift_of_a_tenth_is_found_in_seven_boots(factor: float, word: str) -> None:
    generator = numpy.random.default_rng(3)
    found = [judged(boots(generator, 7), boots(generator, 7, factor=factor)) for _ in range(40)]
    assert sum(verdict.word == word for verdict in found) >= 38
    assert not any(verdict.word not in (word, NO_DIFFERENCE) for verdict in found)
    inside = sum((v.shift_low or 0) <= v.shift_seconds <= (v.shift_high or 0) for v in found)
    assert inside == len(found)


def test_a_shift_within_the_noise_is_no_difference_however_small_p_is() -> None:
    other = [time - 1.5 for time in BOOT]
    small, large = compare_samples(BOOT, other, 0.01), compare_samples(BOOT, other, 0.05)
    assert small is not None
    assert large is not None
    assert (small.word, large.word) == ("faster", NO_DIFFERENCE)
    assert small.p_value == large.p_value == pytest.approx(smallest_p(7, 7))
    assert large.reason == "within the noise of the session, 5.0 %"
    unknown = compare_samples(BOOT, other, None)
    assert unknown is not None
    assert (unknown.word, unknown.reason) == (NO_DIFFERENCE, "the noise of the session is unknown")


def test_overlapping_samples_tell_their_p() -> None:
    verdict = judged(BOOT, [time + 0.1 for time in BOOT])
    assert verdict.word == NO_DIFFERENCE
    assert verdict.reason == f"p = {verdict.p_value:.2g}, not below 0.002"


def test_constant_samples_are_equal_or_apart() -> None:
    same = judged([10.0] * 7, [10.0] * 7)
    assert (same.word, same.p_value, same.shift_seconds) == (NO_DIFFERENCE, 1.0, 0.0)
    apart = judged([10.0] * 7, [11.0] * 7)
    assert apart.word == "slower"
    assert apart.p_value == pytest.approx(smallest_p(7, 7))
    assert (apart.shift_low, apart.shift_high) == (1.0, 1.0)


@pytest.mark.parametrize("n", [7, 30])
def test_ties_never_make_p_smaller_than_it_can_be(n: int) -> None:
    base, other = [10.0] * (n - 1) + [10.5], [10.5] + [11.0] * (n - 1)
    assert smallest_p(n, n) < rank_test_p(base, other) < SIGNIFICANT_P
    mixed = [10.0, 11.0] * n
    assert rank_test_p(mixed, mixed) == pytest.approx(1.0)


def test_the_noise_of_a_session_is_that_of_its_noisiest_variant() -> None:
    quiet, loud = [40.0 + step / 100 for step in range(8)], [40.0 + step for step in range(8)]
    assert session_noise([quiet, loud]) == session_noise([loud])
    assert 0 < (session_noise([quiet]) or 0) < 0.002 < (session_noise([loud]) or 0) < 0.2
    assert session_noise([[5.0] * 4]) == 0
    assert session_noise([[0.0, 0.0]]) == 0
    assert session_noise([[40.0, 42.0]]) == pytest.approx(2 / 41)


def test_the_noise_scales_with_the_boot_and_takes_no_unit() -> None:
    assert session_noise([[60 * time for time in BOOT]]) == pytest.approx(session_noise([BOOT]))


@pytest.mark.parametrize("n", [16, 17, 60])
def test_many_samples_are_split_often_enough_to_repeat(n: int) -> None:
    generator = numpy.random.default_rng(n)
    first, second = (session_noise([boots(generator, n)]) for _ in range(2))
    assert first is not None
    assert second is not None
    assert 0 < first < 0.05
    assert max(first, second) / min(first, second) < 3


def test_the_verdict_of_the_opposite_direction_is_the_opposite() -> None:
    generator = numpy.random.default_rng(5)
    opposite = {"faster": "slower", "slower": "faster", NO_DIFFERENCE: NO_DIFFERENCE}
    for factor, n in product((0.8, 1.0, 1.2), (7, 9)):
        base, other = boots(generator, n), boots(generator, n, factor=factor)
        there, back = judged(base, other), judged(other, base)
        assert back.word == opposite[there.word]
        assert back.shift_seconds == pytest.approx(-there.shift_seconds)
        assert back.p_value == pytest.approx(there.p_value)
