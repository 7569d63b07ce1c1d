"""Times with their intervals, as text."""

from atomic_lib.measure.rank_statistics import Summary, Verdict
from atomic_lib.report.elements.values import MINUS, SMALL_SECONDS, quantity, signed


def median_text(summary: Summary) -> str:
    """ "41.4 s [40.9, 42.0]": the median, and its interval if there is one."""
    return f"{quantity(summary.median, 'seconds')} {_interval(summary.low, summary.high, summary.median)}".rstrip()


def spread_text(summary: Summary) -> str:
    """ "[40.9, 42.0]": the interval; "40.9 to 42.0": the range where there are too few samples; empty for one."""
    if summary.low is None and summary.n > 1:
        return " to ".join(_ends(summary.least, summary.most, summary.median))
    return _interval(summary.low, summary.high, summary.median)


def shift_text(verdict: Verdict) -> str:
    """ "-25.8 s [-26.6, -24.9]": the difference of the median to the baseline's."""
    shift = signed(verdict.shift_seconds, "seconds")
    return f"{shift} {_interval(verdict.shift_low, verdict.shift_high, verdict.shift_seconds)}".rstrip()


def _interval(low: float | None, high: float | None, middle: float) -> str:
    """An interval in the unit of its middle; empty if there is none."""
    return "" if low is None or high is None else f"[{', '.join(_ends(low, high, middle))}]"


def _ends(low: float, high: float, middle: float) -> tuple[str, str]:
    milliseconds = 0 < abs(middle) < SMALL_SECONDS
    least, most = (f"{1000 * end:,.0f}" if milliseconds else f"{end:,.1f}" for end in (low, high))
    return least.replace("-", MINUS), most.replace("-", MINUS)
