"""Whether two counted boots differ by more than chance: one boot of each is enough to say.

The same image with the same seed repeats to the microsecond, so there is no noise of
measurement. What is left is chance inside of the guest: another image, or the smallest change
to one, moves everything after it, so that hash tables, timer ticks and the order of processes
fall otherwise. How far that goes was measured by boots of one image with different seeds
(``python -m benchmarks.counted_spread``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from atomic_lib.guest.counted.counted_boot import CountedBoot

BUSY_LIMIT = 0.008
"""Part of the whole boot that chance does not move it by: it was 0.4 % over different seeds, and this is twice that."""
UNIT_LIMIT_PART = 0.10
UNIT_LIMIT_SECONDS = 0.030
"""What chance does not move a unit by, the larger of a part of its cost and a fixed amount.

Over different seeds it was at most 6 % of a unit, and 0.005 s of one that costs less than
0.1 s. The fixed amount is little more than what starting a program that does nothing costs
as a unit (0.024 s), so a unit that is new or gone is a finding unless it does nothing.
"""


@dataclass(frozen=True)
class Finding:
    """A difference that chance does not explain, in counted seconds: of the boot as a whole, the kernel or a unit."""

    what: str
    before_seconds: float
    after_seconds: float
    limit_seconds: float

    @property
    def seconds(self) -> float:
        """How much more the second boot took."""
        return self.after_seconds - self.before_seconds

    def __str__(self) -> str:
        figures = f"{self.before_seconds:.3f} to {self.after_seconds:.3f}, limit {self.limit_seconds:.3f}"
        return f"{self.what}: {self.seconds:+.3f} counted s ({figures})"


@dataclass(frozen=True)
class CountedDifference:
    """What differs between two counted boots; empty ``findings``: no difference shown."""

    findings: tuple[Finding, ...]

    @property
    def units(self) -> tuple[str, ...]:
        """The units whose cost differs, largest difference first."""
        return tuple(finding.what for finding in self.findings if finding.what not in ("boot", "kernel"))


def counted_difference(before: CountedBoot, after: CountedBoot) -> CountedDifference:
    """What the second boot costs more or less than the first by more than chance, largest difference first.

    The boot as a whole counts from 0.8 % of it, the kernel's part and a unit from 10 % of its
    cost or 30 ms, whichever is more. Units that only one of the two has are among them.
    """
    found = [_finding("boot", before.busy_seconds, after.busy_seconds, BUSY_LIMIT * before.busy_seconds)]
    rows = {"kernel": (before.kernel_seconds, after.kernel_seconds), **_pairs(before, after)}
    for name, (first, second) in rows.items():
        limit = max(UNIT_LIMIT_SECONDS, UNIT_LIMIT_PART * min(first, second))
        found.append(_finding(name, first, second, limit))
    shown = [finding for finding in found if abs(finding.seconds) > finding.limit_seconds]
    return CountedDifference(tuple(sorted(shown, key=lambda finding: -abs(finding.seconds))))


def _finding(what: str, first: float, second: float, limit: float) -> Finding:
    return Finding(what, first, second, limit)


def _pairs(before: CountedBoot, after: CountedBoot) -> Mapping[str, tuple[float, float]]:
    first = {unit.unit: unit.cpu_seconds for unit in before.units}
    second = {unit.unit: unit.cpu_seconds for unit in after.units}
    return {name: (first.get(name, 0.0), second.get(name, 0.0)) for name in sorted(first.keys() | second.keys())}
