"""Units of boots: medians of each unit over the boots of one kind, and the units of each package together."""

from collections.abc import Iterable
from dataclasses import dataclass

from atomic_lib.guest.evidence.unit_times import UnitTime
from atomic_lib.results.analysis.boot_groups import BootGroup, median_of
from atomic_lib.results.variant_result import VariantResult

NO_PACKAGE = "no package known"


@dataclass(frozen=True)
class UnitFigures:
    """Medians of one unit over those of the ``boots`` of one kind that it was seen in."""

    unit: str
    package: str | None
    seconds: float
    started_seconds: float | None
    cpu_seconds: float | None
    memory_bytes: float | None
    critical: int
    seen_in: int
    boots: int


@dataclass(frozen=True)
class PackageUnits:
    """The units of one package together. Units start side by side: the sum of their times is not a wall-clock time."""

    units: int
    unit_seconds: float
    cpu_seconds: float | None
    memory_bytes: float | None


def unit_figures(group: BootGroup, result: VariantResult) -> tuple[UnitFigures, ...]:
    """Every unit of the boots of one kind, the longest first."""
    seen: dict[str, list[UnitTime]] = {}
    boots = group.boots_of(result)
    for boot in boots:
        for unit in boot.units:
            seen.setdefault(unit.unit, []).append(unit)
    found = [_figures(name, units, len(boots)) for name, units in seen.items()]
    return tuple(sorted(found, key=lambda unit: (-unit.seconds, unit.unit)))


def units_by_package(figures: Iterable[UnitFigures]) -> dict[str, PackageUnits]:
    """What the units of each package cost together, by package; NO_PACKAGE for the units of none."""
    found: dict[str, list[UnitFigures]] = {}
    for unit in figures:
        found.setdefault(unit.package or NO_PACKAGE, []).append(unit)
    return {name: _together(units) for name, units in found.items()}


def _together(units: list[UnitFigures]) -> PackageUnits:
    return PackageUnits(
        units=len(units),
        unit_seconds=sum(unit.seconds for unit in units),
        cpu_seconds=_sum(unit.cpu_seconds for unit in units),
        memory_bytes=_sum(unit.memory_bytes for unit in units),
    )


def _figures(name: str, seen: list[UnitTime], boots: int) -> UnitFigures:
    return UnitFigures(
        unit=name,
        package=next((unit.package for unit in seen if unit.package), None),
        seconds=median_of(unit.seconds for unit in seen) or 0.0,
        started_seconds=median_of(unit.started_seconds for unit in seen),
        cpu_seconds=median_of(unit.cpu_seconds for unit in seen),
        memory_bytes=median_of(unit.memory_bytes for unit in seen),
        critical=sum(unit.critical for unit in seen),
        seen_in=len(seen),
        boots=boots,
    )


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum of the known figures; None if none is known."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
