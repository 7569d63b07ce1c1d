"""Whether two counted boots differ by more than chance: one boot of each is enough.

The same image with the same seed repeats to the microsecond, so there is no noise of
measurement. What is left is chance inside the guest: another image, or the smallest change
to one, moves everything after it, so that hash tables, timer ticks and the order of processes
turn out differently. The size of this effect was measured with boots of one image with different seeds
(``python -m benchmarks.counted_spread``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from atomic_lib.guest.counted.counted_boot import CountedBoot

BUSY_LIMIT = 0.008
"""The part of a whole boot's cost that chance does not exceed: twice the 0.4 % measured over different seeds."""
OUTSIDE_UNITS = "outside all units"
UNIT_LIMIT_PART = 0.10
UNIT_LIMIT_SECONDS = 0.030
"""What chance does not exceed for a unit: the larger of a part of its cost and a fixed amount.

Over different seeds it was at most 6 % of a unit, and 0.005 s of one that costs less than
0.1 s. The fixed amount is little more than what starting a program that does nothing costs
as a unit (0.024 s), so a unit that is new or gone is a finding unless it does nothing.
"""


@dataclass(frozen=True)
class CostDifference:
    """A difference that chance does not explain, in counted seconds: of the whole boot, a unit or the remainder."""

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
    """What differs between two counted boots; empty ``costs``: no difference shown."""

    costs: tuple[CostDifference, ...]

    @property
    def units(self) -> tuple[str, ...]:
        """The units whose cost differs, largest difference first."""
        return tuple(cost.what for cost in self.costs if cost.what not in ("boot", OUTSIDE_UNITS))


def counted_difference(before: CountedBoot, after: CountedBoot) -> CountedDifference:
    """Where the second boot's cost differs from the first's by more than chance, largest difference first.

    The boot as a whole counts from 0.8 % of it, a unit and what is outside all units from 10 % of
    its cost or 30 ms, whichever is more. Units that only one of the two has are among them.
    """
    costs = [CostDifference("boot", before.busy_seconds, after.busy_seconds, BUSY_LIMIT * before.busy_seconds)]
    rows = {OUTSIDE_UNITS: (before.outside_units_seconds, after.outside_units_seconds), **_units_of_both(before, after)}
    for name, (first, second) in rows.items():
        limit = max(UNIT_LIMIT_SECONDS, UNIT_LIMIT_PART * min(first, second))
        costs.append(CostDifference(name, first, second, limit))
    shown = [cost for cost in costs if abs(cost.seconds) > cost.limit_seconds]
    return CountedDifference(tuple(sorted(shown, key=lambda cost: -abs(cost.seconds))))


def _units_of_both(before: CountedBoot, after: CountedBoot) -> Mapping[str, tuple[float, float]]:
    first = {unit.unit: unit.cpu_seconds for unit in before.units}
    second = {unit.unit: unit.cpu_seconds for unit in after.units}
    return {name: (first.get(name, 0.0), second.get(name, 0.0)) for name in sorted(first.keys() | second.keys())}
