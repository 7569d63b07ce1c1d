"""Counted boots of two variants compared: by what chance can change in a count, not by a rank test of times."""

from dataclasses import dataclass

from atomic_lib.guest.counted import counted_boot
from atomic_lib.guest.counted.counted_difference import BUSY_LIMIT, counted_difference
from atomic_lib.guest.counted.probe import CountedUnit
from atomic_lib.results.analysis.boot_groups import median_of
from atomic_lib.results.analysis.metrics import counted_busy_seconds
from atomic_lib.results.variant_result import VariantResult

CHANCE_SHARE = BUSY_LIMIT
"""Chance moves the busy time of a counted boot by up to this share of it."""
_MAIN_PART = 0.25
"""A unit with at least this share of the whole difference is named as its cause."""


@dataclass(frozen=True)
class CountedShift:
    """The medians of the counted boots of two variants, in counted seconds.

    ``shift_seconds``: None if chance explains the difference. ``same_method``: False if the
    boots were counted with another shift or QEMU, so that they cannot be compared. ``cause``: the
    unit, or the kernel, with the largest part of the difference; empty if none is large.
    """

    busy_seconds: float
    base_seconds: float
    same_method: bool
    shift_seconds: float | None = None
    cause: str = ""
    cause_seconds: float = 0.0


def compare_counted(result: VariantResult, base: VariantResult) -> CountedShift | None:
    """How much more ``result`` costs in a counted boot than ``base``; None if one of them has no counted boot."""
    if not (result.counted_boots and base.counted_boots):
        return None
    ours, theirs = _median_boot(result), _median_boot(base)
    if _methods(result) != _methods(base):
        return CountedShift(ours.busy_seconds, theirs.busy_seconds, same_method=False)
    found = {finding.what: finding for finding in counted_difference(theirs, ours).costs}
    if "boot" not in found:
        return CountedShift(ours.busy_seconds, theirs.busy_seconds, same_method=True)
    shift = found.pop("boot").seconds
    causes = [finding for finding in found.values() if finding.seconds * shift > _MAIN_PART * shift**2]
    cause, seconds = (causes[0].what, causes[0].seconds) if causes else ("", 0.0)
    return CountedShift(ours.busy_seconds, theirs.busy_seconds, True, shift, cause, seconds)


def counted_unit_seconds(result: VariantResult) -> dict[str, float]:
    """The median processor time of each unit over the counted boots that have it, in counted seconds."""
    seconds: dict[str, list[float]] = {}
    for unit in (unit for boot in result.counted_boots for unit in boot.units):
        seconds.setdefault(unit.unit, []).append(unit.cpu_seconds)
    return {name: median_of(of) or 0.0 for name, of in seconds.items()}


def _methods(result: VariantResult) -> set[tuple[int, str | None]]:
    """How the boots were counted."""
    return {(boot.shift, boot.qemu_version) for boot in result.counted_boots}


def _median_boot(result: VariantResult) -> counted_boot.CountedBoot:
    """The counted boots as one, each figure the median of theirs, as the tables have them."""
    boots = result.counted_boots
    units = counted_unit_seconds(result).items()
    return counted_boot.CountedBoot(
        busy_seconds=counted_busy_seconds(result) or 0.0,
        outside_units_seconds=median_of(boot.outside_units_seconds for boot in boots) or 0.0,
        units=tuple(CountedUnit(unit=name, cpu_seconds=seconds) for name, seconds in units),
        shift=boots[0].shift,
        qemu_version=boots[0].qemu_version,
    )
