"""Where a figure over time changed its level, by least squares with a penalty (ruptures' KernelCPD).

https://centre-borelli.github.io/ruptures-docs/user-guide/detection/kernelcpd/

A figure counts as changed only beyond its noise. Sizes have none of their own; what is smaller than 0.05 % is not
worth a line. Counted boots have that of chance inside the guest. All other figures (wall-clock times, memory) have what
their own series shows, and their change must also pass the rank test that decides about "faster" and "slower".
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Literal

from atomic_lib.guest.counted.counted_difference import BUSY_LIMIT
from atomic_lib.measure.rank_statistics import SIGNIFICANT_P, least_samples, rank_test_p

Noise = Literal["exact", "counted", "clock"]
"""What a figure's noise is: none, that of chance in a guest, or that of the machine."""
EXACT_PART = 0.0005
COUNTED_PART = BUSY_LIMIT / 2
"""The standard deviation of a counted boot that is assumed, as a part of its cost: the spread between seeds."""
FALSE_ALARM = 1e-4
"""The probability, about, that a series of noise alone has a change point."""
_MAD_OF_NORMAL = 0.6745
"""The median absolute deviation of a normal distribution with standard deviation 1."""


def change_points(values: Sequence[float], noise: Noise) -> tuple[int, ...]:
    """The places where a new level begins: places in ``values``, which are in order of time, ascending."""
    least = least_samples() if noise == "clock" else 1
    if len(values) < 2 * least or not (scale := _scale(values, noise)):
        return ()
    import numpy
    from ruptures import KernelCPD

    middle = median(values)
    signal = numpy.array([[(value - middle) / scale] for value in values])
    penalty = 2 * math.log(len(values) / FALSE_ALARM)
    # it does not look at series that are shorter than two segments of this length
    found = KernelCPD(kernel="linear", min_size=least).fit(signal).predict(pen=penalty)
    places = tuple(int(place) for place in found[:-1])
    return _significant(values, places) if noise == "clock" else places


def _scale(values: Sequence[float], noise: Noise) -> float:
    """The standard deviation of the noise; 0 if every value is 0."""
    if noise == "exact":
        return abs(median(values)) * EXACT_PART or max(map(abs, values)) * EXACT_PART
    # Of differences, because a change of level is in few of them. Those of points further apart show noise that lasts,
    # such as the load of a machine.
    lags = range(1, min(least_samples(), len(values) // 2) + 1) if noise == "clock" else (1,)
    spread = max(_spread([after - before for before, after in zip(values, values[lag:], strict=False)]) for lag in lags)
    return max(spread, abs(median(values)) * COUNTED_PART)


def _spread(differences: Sequence[float]) -> float:
    """The standard deviation of values, from their differences; a few large ones do not matter."""
    middle = median(differences)
    return median(abs(one - middle) for one in differences) / _MAD_OF_NORMAL / math.sqrt(2)


def _significant(values: Sequence[float], places: Sequence[int]) -> tuple[int, ...]:
    """The change points whose two sides differ by the rank test; the sides of one that does not are one."""
    kept: list[int] = []
    for place, end in pairwise((*places, len(values))):
        start = kept[-1] if kept else 0
        if rank_test_p(values[start:place], values[place:end]) < SIGNIFICANT_P:
            kept.append(place)
    return tuple(kept)
