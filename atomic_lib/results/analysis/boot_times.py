"""Times of boots with their statistics, and what may be said of them.

Only boots of one kind (firmware and accelerator) are compared, warm-up boots are left out, and
counted seconds are not included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.evidence.systemd import Phases
from atomic_lib.measure.rank_statistics import (
    NO_DIFFERENCE,
    Summary,
    Verdict,
    compare_samples,
    session_noise,
    summarize,
)
from atomic_lib.results.analysis.boot_groups import MILESTONES, PHASES, BootGroup, median_of, milestone_seconds
from atomic_lib.results.analysis.metrics import Metric
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult


@dataclass(frozen=True)
class BootTime:
    """One time of one kind of boot.

    ``name`` is a milestone ("ssh-login"), or a field of ``Boot`` or of its ``Phases``.
    """

    group: BootGroup
    name: str

    def samples(self, result: VariantResult) -> tuple[float, ...]:
        """The seconds of every boot that counts and got that far, in the order of the boots."""
        times = [_seconds(boot, self.name) for boot in self.group.boots_of(result)]
        return tuple(seconds for seconds in times if seconds is not None)

    def summary(self, result: VariantResult) -> Summary | None:
        """Median, interval and n; None if no boot got that far."""
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
            return replace(found, word=NO_DIFFERENCE, reason="the guests differ in processors or memory")
        if found and not _interleaved(self.group.boots_of(base), self.group.boots_of(result)):
            return replace(found, word=NO_DIFFERENCE, reason="the boots did not alternate within one session")
        if found and any(boot.alone is False for one in (base, result) for boot in self.group.boots_of(one)):
            return replace(found, word=NO_DIFFERENCE, reason="the boots were not timed alone")
        return found


def may_differ(study: StudyResult, result: VariantResult, figure: Metric) -> bool:
    """Whether a difference of a figure from the baseline may be shown: by wall clock, only what the rank test shows."""
    if figure.group is None:
        return True
    verdict = BootTime(figure.group, figure.milestone).verdict(study, result)
    return verdict is not None and verdict.word != NO_DIFFERENCE


def phases_of(boot: Boot) -> list[tuple[str, float]]:
    """The title and the seconds of each phase that was measured, in order."""
    found = [(title, getattr(boot.phases, name)) for name, title in PHASES]
    return [(title, seconds) for title, seconds in found if seconds is not None]


def milestones_of(boot: Boot) -> list[tuple[str, float]]:
    """The title and the seconds of each milestone that was reached, in order of time."""
    found = [(title, milestone_seconds(boot, name)) for name, title in MILESTONES.items()]
    return sorted(((title, seconds) for title, seconds in found if seconds is not None), key=lambda one: one[1])


def boot_end_seconds(boot: Boot) -> float:
    """When the last phase or milestone of a boot ended, in seconds after the start of QEMU; 0 where none is known."""
    milestones = [seconds for _, seconds in milestones_of(boot)]
    return max([*milestones, sum(seconds for _, seconds in phases_of(boot))], default=0.0)


def typical_boot(result: VariantResult, group: BootGroup) -> Boot | None:
    """The boot of one kind whose end is nearest to the median end; None without boots."""
    boots = [boot for boot in group.boots_of(result) if boot_end_seconds(boot)]
    middle = median_of(boot_end_seconds(boot) for boot in boots)
    return min(boots, key=lambda boot: abs(boot_end_seconds(boot) - (middle or 0)), default=None)


def _seconds(boot: Boot, name: str) -> float | None:
    if name in MILESTONES:
        return milestone_seconds(boot, name)
    seconds: float | None = getattr(boot.phases if name in Phases.model_fields else boot, name)
    return seconds


def _interleaved(one: Sequence[Boot], other: Sequence[Boot]) -> bool:
    """Whether the boots alternated, A B A B, so that a change on the host affected both."""
    times = [(boot.started, index) for index, boots in enumerate((one, other)) for boot in boots if boot.started]
    order = [index for _, index in sorted(times)]
    turns = sum(before != after for before, after in pairwise(order))
    least = min(order.count(0), order.count(1))
    return least < 2 or turns >= 2 * least - 1  # one boot each is too few for a verdict anyway


def _guests(boots: Iterable[Boot]) -> set[tuple[int | None, int | None]]:
    return {(boot.cpus, boot.memory_mib) for boot in boots}
