"""Times of boots with their statistics: what may be said of them, and how it is written.

Only boots of one kind (firmware and accelerator) are ever set side by side, warm-ups are left
out, and counted seconds are none of these times.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from atomic_lib.measure.statistics import (
    NO_DIFFERENCE,
    Summary,
    Verdict,
    compare_samples,
    session_noise,
    summarize,
)
from atomic_lib.report.page.elements import Cell, missing
from atomic_lib.results.metrics import MARKS, BootGroup, mark_seconds
from atomic_lib.results.values import MINUS, SMALL_SECONDS, quantity, signed
from atomic_lib.results.variant_result import Boot, Phases, StudyResult, VariantResult


@dataclass(frozen=True)
class BootTime:
    """One time of one kind of boot.

    ``name`` is a milestone ("ssh-login"), or a field of ``Boot`` or of its ``Phases``.
    """

    group: BootGroup
    name: str

    def samples(self, result: VariantResult) -> tuple[float, ...]:
        """The seconds of every boot that counts and came so far, in the order of the boots."""
        times = [_seconds(boot, self.name) for boot in self.group.boots_of(result)]
        return tuple(seconds for seconds in times if seconds is not None)

    def summary(self, result: VariantResult) -> Summary | None:
        """Median, interval and n; None where no boot came so far."""
        return summarize(self.samples(result))

    def noise(self, study: StudyResult) -> float | None:
        """How far this median moves in this session with nothing changed, as a share of it."""
        return session_noise(self.samples(result) for result in study.variants)

    def verdict(self, study: StudyResult, result: VariantResult) -> Verdict | None:
        """Faster or slower than the baseline, if that can be said; None without times of both."""
        base = study.variant(study.baseline)
        if base is None or result.variant == study.baseline:
            return None
        found = compare_samples(self.samples(base), self.samples(result), self.noise(study))
        if found and _guests(self.group.boots_of(base)) != _guests(self.group.boots_of(result)):
            return replace(found, word=NO_DIFFERENCE, reason="the guests had not the same processors and memory")
        if found and not _interleaved(self.group.boots_of(base), self.group.boots_of(result)):
            return replace(found, word=NO_DIFFERENCE, reason="the boots were not made in turn, in one session")
        return found


def median_text(summary: Summary) -> str:
    """ "41.4 s [40.9, 42.0]": the median, and its interval if there is one."""
    brackets = _brackets(summary.low, summary.high, summary.median)
    return " ".join(part for part in (quantity(summary.median, "seconds"), brackets) if part)


def summary_cell(summary: Summary | None, *, note: str = "", reason: str = "not measured") -> Cell:
    """The median, below it its interval (or the range of few samples), n and ``note``; a dash for None."""
    if summary is None:
        return missing(reason)
    spread = _brackets(summary.low, summary.high, summary.median)
    if not spread and summary.n > 1:
        spread = " to ".join(_ends(summary.least, summary.most, summary.median))
    parts = (spread, f"n = {summary.n}", note)
    return Cell(quantity(summary.median, "seconds"), ", ".join(part for part in parts if part), "number")


def shift_text(verdict: Verdict) -> str:
    """ "-25.8 s [-26.6, -24.9]": how far the median lies from the baseline's."""
    brackets = _brackets(verdict.shift_low, verdict.shift_high, verdict.shift_seconds)
    return " ".join(part for part in (signed(verdict.shift_seconds, "seconds"), brackets) if part)


def verdict_cell(verdict: Verdict | None, *, reason: str = "not measured") -> Cell:
    """The word that the statistics allow, below it the shift and the reason; a dash with ``reason`` for None."""
    if verdict is None:
        return missing(reason)
    return Cell(verdict.word, f"{shift_text(verdict)}; {verdict.reason}")


def _seconds(boot: Boot, name: str) -> float | None:
    if name in MARKS:
        return mark_seconds(boot, name)
    seconds: float | None = getattr(boot.phases if name in Phases.model_fields else boot, name)
    return seconds


def _brackets(low: float | None, high: float | None, middle: float) -> str:
    """An interval in the unit that its middle is written in; nothing where there is none."""
    return "" if low is None or high is None else f"[{', '.join(_ends(low, high, middle))}]"


def _ends(low: float, high: float, middle: float) -> tuple[str, str]:
    milliseconds = 0 < abs(middle) < SMALL_SECONDS
    least, most = (f"{1000 * end:,.0f}" if milliseconds else f"{end:,.1f}" for end in (low, high))
    return least.replace("-", MINUS), most.replace("-", MINUS)


def _interleaved(one: Sequence[Boot], other: Sequence[Boot]) -> bool:
    """Whether the boots were made in turn, A B A B: what changed on the host meanwhile then met both."""
    times = [(boot.started, index) for index, boots in enumerate((one, other)) for boot in boots if boot.started]
    order = [index for _, index in sorted(times)]
    turns = sum(before != after for before, after in pairwise(order))
    least = min(order.count(0), order.count(1))
    return least < 2 or turns >= 2 * least - 1  # one boot each is too few for a verdict anyway


def _guests(boots: Iterable[Boot]) -> set[tuple[int | None, int | None]]:
    return {(boot.cpus, boot.memory_mib) for boot in boots}
