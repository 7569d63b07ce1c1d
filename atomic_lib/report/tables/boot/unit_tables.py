"""Units of boots, one by one and by the package that they belong to."""

from collections.abc import Iterable
from dataclasses import dataclass

from atomic_lib.report.page.elements import Cell, Table, missing, number, plural
from atomic_lib.report.text import methods
from atomic_lib.results.metrics import BootGroup, boot_groups, median_of, missing_boot_reason, usual_group
from atomic_lib.results.variant_result import StudyResult, UnitTime, VariantResult

_NO_PACKAGE = "no package known"
_SIDE_BY_SIDE = "Units start side by side: sums of unit times are no wall-clock time."


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


def unit_figures(group: BootGroup, result: VariantResult) -> tuple[UnitFigures, ...]:
    """Every unit of the boots of one kind, the longest first."""
    seen: dict[str, list[UnitTime]] = {}
    boots = group.boots_of(result)
    for boot in boots:
        for unit in boot.units:
            seen.setdefault(unit.unit, []).append(unit)
    found = [_figures(name, units, len(boots)) for name, units in seen.items()]
    return tuple(sorted(found, key=lambda unit: (-unit.seconds, unit.unit)))


def units(study: StudyResult) -> Table:
    """Every unit of every variant, by the kind of boot that most variants have."""
    group = usual_group(study.variants)
    if group is None:
        return Table("Units", ("unit",), (), empty="No variant was booted.")
    found = [(result.variant, unit) for result in study.variants for unit in unit_figures(group, result)]
    rows = tuple(
        (_name(unit), Cell(variant), *_cells(unit))
        for variant, unit in sorted(found, key=lambda pair: (-pair[1].seconds, pair[1].unit))
    )
    records = tuple({"variant": variant, **vars(unit)} for variant, unit in found)
    header = ("unit", "variant", *_HEADER)
    caption = f"Units: {group}, medians of {_boots(group, study.variants)}"
    return Table(caption, header, rows, records, (_SIDE_BY_SIDE,), methods.UNITS, "units.csv")


def units_table(result: VariantResult, to_run: str = "../") -> Table:
    """Every unit of one variant, by each kind of boot."""
    found = [(group, unit) for group in boot_groups([result]) for unit in unit_figures(group, result)]
    rows = tuple((_name(unit), Cell(str(group)), *_cells(unit)) for group, unit in found)
    records = tuple({"kind": str(group), **vars(unit)} for group, unit in found)
    caption = f"Units of {result.variant}"
    empty = f"{missing_boot_reason(result)}."
    return Table(
        caption, ("unit", "boots", *_HEADER), rows, records, (_SIDE_BY_SIDE,), methods.UNITS, f"{to_run}units.csv",
        empty=empty[:1].upper() + empty[1:],
    )  # fmt: skip


def packages_at_boot(study: StudyResult) -> Table:
    """The units of each package together: what a package costs at boot, in unit time and in processor time."""
    group = usual_group(study.variants)
    if group is None:
        return Table("Boot by package", ("package",), (), empty="No variant was booted.")
    by_variant = {r.variant: _by_package(unit_figures(group, r)) for r in study.variants if group.boots_of(r)}
    sums = {name: 0.0 for of in by_variant.values() for name in of}
    for of in by_variant.values():
        for name, some in of.items():
            sums[name] = max(sums[name], sum(unit.seconds for unit in some))
    rows = tuple(
        (Cell(name), *(cell for result in study.variants for cell in _package_cells(by_variant, result, name, group)))
        for name in sorted(sums, key=lambda name: (-sums[name], name))
    )
    records = tuple(
        {"variant": variant, "package": name, "units": len(some), "unit_seconds": sum(u.seconds for u in some),
         "cpu_seconds": _sum(u.cpu_seconds for u in some), "memory_bytes": _sum(u.memory_bytes for u in some)}
        for variant, of in by_variant.items()
        for name, some in of.items()
    )  # fmt: skip
    header = ("package", *(f"{r.variant}: {word}" for r in study.variants for word in ("unit time", "CPU time")))
    caption = f"Boot by package: {group}, medians of {_boots(group, study.variants)}"
    known = any(name != _NO_PACKAGE for name in sums)
    return Table(
        caption, header, rows if known else (), records, (_SIDE_BY_SIDE,), methods.UNITS, "units.csv",
        empty="Which package a unit belongs to was not measured.",
    )  # fmt: skip


_HEADER = ("package", "starts at", "unit time", "CPU time", "memory", "critical chain")


def _name(unit: UnitFigures) -> Cell:
    some = f"in {unit.seen_in} of {plural(unit.boots, 'boot')}" if unit.seen_in < unit.boots else ""
    return Cell(unit.unit, some)


def _cells(unit: UnitFigures) -> tuple[Cell, ...]:
    chain = Cell("no") if not unit.critical else Cell("✓ yes", "" if unit.boots == 1 else f"{unit.critical} of "
                                                      f"{plural(unit.boots, 'boot')}")  # fmt: skip
    return (
        Cell(unit.package) if unit.package else missing("none known"),
        number(unit.started_seconds, "seconds"),
        number(unit.seconds, "seconds"),
        number(unit.cpu_seconds, "seconds"),
        number(unit.memory_bytes, "bytes"),
        chain if unit.started_seconds is not None else missing("not measured"),
    )


def _figures(name: str, units_seen: list[UnitTime], boots: int) -> UnitFigures:
    return UnitFigures(
        unit=name,
        package=next((unit.package for unit in units_seen if unit.package), None),
        seconds=median_of(unit.seconds for unit in units_seen) or 0.0,
        started_seconds=median_of(unit.started_seconds for unit in units_seen),
        cpu_seconds=median_of(unit.cpu_seconds for unit in units_seen),
        memory_bytes=median_of(unit.memory_bytes for unit in units_seen),
        critical=sum(unit.critical for unit in units_seen),
        seen_in=len(units_seen),
        boots=boots,
    )


def _by_package(figures: Iterable[UnitFigures]) -> dict[str, list[UnitFigures]]:
    found: dict[str, list[UnitFigures]] = {}
    for unit in figures:
        found.setdefault(unit.package or _NO_PACKAGE, []).append(unit)
    return found


def _package_cells(
    by_variant: dict[str, dict[str, list[UnitFigures]]], result: VariantResult, name: str, group: BootGroup
) -> tuple[Cell, Cell]:
    of = by_variant.get(result.variant)
    if of is None or name not in of:
        reason = missing_boot_reason(result, group) if of is None else "no unit"
        return missing(reason), missing(reason)
    some = of[name]
    cpu = _sum(unit.cpu_seconds for unit in some)
    return number(sum(u.seconds for u in some), "seconds", note=plural(len(some), "unit")), number(cpu, "seconds")


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum of the figures that there are; None where there is none."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _boots(group: BootGroup, results: Iterable[VariantResult]) -> str:
    counts = [n for result in results if (n := len(group.boots_of(result)))]
    low, high = min(counts), max(counts)
    return plural(low, "boot") if low == high else f"{low} to {high} boots"
