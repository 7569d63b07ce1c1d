"""When a report may say "faster": medians with intervals, the noise of a session, a test of two samples.

The rules are those of asv (airspeed velocity, ``asv_runner.statistics``): raw samples are kept, a
rank test comes before a word, and a word needs a difference of the medians beyond what the machine does on its own.
All seconds here are wall-clock seconds of one kind of boot; counted seconds are compared elsewhere.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    _Values = NDArray[numpy.float64]

CONFIDENCE = 0.95
SIGNIFICANT_P = 0.002
"""The value of asv: with some dozens of comparisons on a page, a false claim is still unlikely."""
LEAST_FOR_INTERVAL = 6
"""The range of n samples holds the true median with a chance of 1 - 2/2**n: below 95 % for fewer than 6."""
_RESAMPLES = 9_999
_SEED = 20_140_501
_MOST_SPLITS = 20_000
"""With more splits of two samples than this, a random part of them or a formula is used."""

Word = Literal["faster", "slower", "no difference shown"]
NO_DIFFERENCE: Word = "no difference shown"


@dataclass(frozen=True)
class Summary:
    """The median of ``n`` samples in seconds, with its interval: None for fewer than ``LEAST_FOR_INTERVAL`` samples.

    ``least`` and ``most`` are the range of the samples, which is not a confidence interval of the median.
    """

    n: int
    median: float
    least: float
    most: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Verdict:
    """Whether ``other`` is faster or slower than ``base``, and the reason for the word.

    ``shift_seconds`` is the difference of the medians, other minus base: negative is faster.
    Its interval and ``p_value`` are None if the samples are too few for them.
    """

    word: Word
    p_value: float | None
    shift_seconds: float
    shift_low: float | None
    shift_high: float | None
    n_other: int
    reason: str


def summarize(samples_seconds: Iterable[float]) -> Summary | None:
    """Median and bootstrap percentile interval; None for no samples at all.

    The interval is nominal: of so few samples it holds the true median in 90 to 95 % of cases.
    The resampling has a fixed seed, so that the same samples always give the same interval.
    Raises ValueError for a sample that is not a time: NaN, infinite, negative.
    """
    samples = _times(samples_seconds)
    return _summary(samples) if samples else None


def session_noise(groups: Iterable[Iterable[float]]) -> float | None:
    """How far a median moves with nothing changed, as a share of it; None if nothing was repeated.

    ``groups``: the samples of one session, one group for each variant. Each group is split into
    two halves in every balanced way, as if they were two variants (an A/A comparison); 95 % of
    the splits move the median by no more than the group's noise. The largest one of any group is
    the session's. A half has fewer samples than a variant, and a drift during the session counts
    in full, although boots in turn (A B A B) would spread it evenly: both err on the careful side.
    """
    noises = [_group_noise(samples) for group in groups if len(samples := _times(group)) > 1]
    return max(noises, default=None)


def compare_samples(
    base_seconds: Iterable[float], other_seconds: Iterable[float], noise_relative: float | None
) -> Verdict | None:
    """The verdict on two samples of one session; None if one of them is empty.

    "faster" and "slower" need both a two-sided Mann-Whitney rank test with p < 0.002 and a shift
    of the median by more than ``noise_relative`` (see ``session_noise``) of the base's median.
    Raises ValueError for a sample that is not a time: NaN, infinite, negative.
    """
    base, other = _times(base_seconds), _times(other_seconds)
    if not base or not other:
        return None
    shift_seconds = median(other) - median(base)
    if smallest_p(len(base), len(other)) >= SIGNIFICANT_P:
        return Verdict(NO_DIFFERENCE, None, shift_seconds, None, None, len(other), _too_few(base, other))
    p_value = rank_test_p(base, other)
    low, high = _shift_interval(base, other)
    word, reason = _judge(p_value, shift_seconds, median(base), noise_relative)
    return Verdict(word, p_value, shift_seconds, low, high, len(other), reason)


def smallest_p(n_base: int, n_other: int) -> float:
    """The smallest p that a two-sided rank test of so many samples can give: 2/C(n+m, n)."""
    return min(1.0, 2 / math.comb(n_base + n_other, n_base))


def least_samples() -> int:
    """How many samples of each of two variants it takes for a significant p: 7."""
    n = 1
    while smallest_p(n, n) >= SIGNIFICANT_P:
        n += 1
    return n


def rank_test_p(base: Sequence[float], other: Sequence[float]) -> float:
    """p of the two-sided Mann-Whitney test: exact, but for many samples with ties among them."""
    from scipy import stats  # type: ignore[import-untyped]

    ties = len(set(base) | set(other)) < len(base) + len(other)
    method: Literal["exact", "asymptotic"] | stats.PermutationMethod = "exact"
    if ties and math.comb(len(base) + len(other), len(base)) <= _MOST_SPLITS:
        method = stats.PermutationMethod(n_resamples=_MOST_SPLITS)  # more than there are: it takes all of them
    elif ties:
        method = "asymptotic"  # corrected for ties
    return float(stats.mannwhitneyu(base, other, alternative="two-sided", method=method).pvalue)


def _times(samples_seconds: Iterable[float]) -> tuple[float, ...]:
    samples = tuple(map(float, samples_seconds))
    wrong = [sample for sample in samples if not (math.isfinite(sample) and sample >= 0)]
    if wrong:
        raise ValueError(f"{wrong[0]} is not a time in seconds")
    return samples


@cache
def _summary(samples: tuple[float, ...]) -> Summary:
    middle, least, most = median(samples), min(samples), max(samples)
    if len(samples) < LEAST_FOR_INTERVAL:
        return Summary(len(samples), middle, least, most, None, None)
    low, high = _interval((samples,), lambda of, axis: _medians(of, axis))
    return Summary(len(samples), middle, least, most, low, high)


@cache
def _shift_interval(base: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, float]:
    return _interval((base, other), lambda a, b, axis: _medians(b, axis) - _medians(a, axis))


def _interval(data: tuple[tuple[float, ...], ...], statistic: Callable[..., "_Values"]) -> tuple[float, float]:
    from scipy import stats

    found = stats.bootstrap(
        data, statistic, n_resamples=_RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=_SEED,
        vectorized=True,
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)


def _medians(samples: "_Values", axis: int) -> "_Values":
    import numpy

    medians: _Values = numpy.median(samples, axis=axis)
    return medians


@cache
def _group_noise(samples: tuple[float, ...]) -> float:
    """The shift between the medians of two halves that 95 % of all balanced splits stay within, relative."""
    import numpy

    values, n = numpy.asarray(samples), len(samples)
    if math.comb(n, n // 2) <= _MOST_SPLITS:
        halves = numpy.array(list(combinations(range(n), n // 2)))
    else:
        generator = numpy.random.default_rng(_SEED)
        halves = numpy.array([generator.permutation(n)[: n // 2] for _ in range(_MOST_SPLITS)])
    chosen = numpy.zeros((len(halves), n), dtype=bool)
    numpy.put_along_axis(chosen, halves, values=True, axis=1)
    spread = numpy.broadcast_to(values, chosen.shape)
    one = numpy.median(spread[chosen].reshape(len(halves), -1), axis=1)
    rest = numpy.median(spread[~chosen].reshape(len(halves), -1), axis=1)
    middle = median(samples)
    shift = float(numpy.quantile(numpy.abs(one - rest), CONFIDENCE))
    return shift / middle if middle else 0.0


def _judge(p_value: float, shift_seconds: float, base_median: float, noise_relative: float | None) -> tuple[Word, str]:
    if p_value >= SIGNIFICANT_P:
        return NO_DIFFERENCE, f"p = {p_value:.2g}, not below {SIGNIFICANT_P}"
    if noise_relative is None:
        return NO_DIFFERENCE, "the noise of the session is unknown"
    noise = f"the noise of the session, {100 * noise_relative:.1f} %"
    if abs(shift_seconds) <= noise_relative * base_median:
        return NO_DIFFERENCE, f"within {noise}"
    return "faster" if shift_seconds < 0 else "slower", f"p = {p_value:.2g}, beyond {noise}"


def _too_few(base: Sequence[float], other: Sequence[float]) -> str:
    had = f"{len(base)} and {len(other)} boots"
    if len(base) == len(other):
        had = "one boot each" if len(base) == 1 else f"{len(base)} boots each"
    return f"{had}; at least {least_samples()} of both are needed for p < {SIGNIFICANT_P}"
