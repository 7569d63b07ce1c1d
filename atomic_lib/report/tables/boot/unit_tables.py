"""Units of boots, one by one and by the package that they belong to."""

from collections.abc import Iterable, Mapping

from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table, not_measured
from atomic_lib.report.elements.values import plural
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.boot_groups import BootGroup, boot_groups, most_common_group
from atomic_lib.results.analysis.metrics import missing_boot_reason
from atomic_lib.results.analysis.unit_figures import (
    NO_PACKAGE,
    PackageUnits,
    UnitFigures,
    unit_figures,
    units_by_package,
)
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_SIDE_BY_SIDE = "Units start side by side: sums of unit times are not wall-clock times."


def units(study: StudyResult) -> Table:
    """Every unit of every variant, by the kind of boot that most variants have."""
    group = most_common_group(study.variants)
    if group is None:
        return not_measured("Units")
    found = [(result.variant, unit) for result in study.variants for unit in unit_figures(group, result)]
    rows = tuple(
        (_name(unit), Cell(variant), *_cells(unit))
        for variant, unit in sorted(found, key=lambda pair: (-pair[1].seconds, pair[1].unit))
    )
    records = tuple({"variant": variant, **vars(unit)} for variant, unit in found)
    header = ("unit", "variant", *_HEADER)
    caption = f"Units: {group}, medians of {_boots(group, study.variants)}"
    return Table(caption, header, rows, records, (_SIDE_BY_SIDE,), methods.UNITS, "units.csv")


def units_table(result: VariantResult) -> Table:
    """Every unit of one variant, by each kind of boot."""
    found = [(group, unit) for group in boot_groups([result]) for unit in unit_figures(group, result)]
    rows = tuple((_name(unit), Cell(str(group)), *_cells(unit)) for group, unit in found)
    records = tuple({"kind": str(group), **vars(unit)} for group, unit in found)
    caption = f"Units of {result.variant}"
    if not rows:
        return not_measured(caption, missing_boot_reason(result))
    return Table(caption, ("unit", "boots", *_HEADER), rows, records, (_SIDE_BY_SIDE,), methods.UNITS, "../units.csv")


def packages_at_boot(study: StudyResult) -> Table:
    """The units of each package together: what a package costs at boot, in unit time and in processor time."""
    group = most_common_group(study.variants)
    if group is None:
        return not_measured("Boot by package")
    by_variant = {r.variant: units_by_package(unit_figures(group, r)) for r in study.variants if group.boots_of(r)}
    names = {name for of in by_variant.values() for name in of}
    longest = {name: max(of[name].unit_seconds for of in by_variant.values() if name in of) for name in names}
    rows = tuple(
        (Cell(name), *(cell for result in study.variants for cell in _package_cells(by_variant, result, name, group)))
        for name in sorted(names, key=lambda name: (-longest[name], name))
    )
    records = tuple(
        {"variant": variant, "package": name, **vars(together)}
        for variant, of in by_variant.items()
        for name, together in of.items()
    )
    header = ("package", *(f"{r.variant}: {word}" for r in study.variants for word in ("unit time", "CPU time")))
    caption = f"Boot by package: {group}, medians of {_boots(group, study.variants)}"
    known = any(name != NO_PACKAGE for name in names)
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


def _package_cells(
    by_variant: Mapping[str, Mapping[str, PackageUnits]], result: VariantResult, name: str, group: BootGroup
) -> tuple[Cell, Cell]:
    of = by_variant.get(result.variant)
    if of is None or name not in of:
        reason = missing_boot_reason(result, group) if of is None else "no unit"
        return missing(reason), missing(reason)
    together = of[name]
    time = number(together.unit_seconds, "seconds", note=plural(together.units, "unit"))
    return time, number(together.cpu_seconds, "seconds")


def _boots(group: BootGroup, results: Iterable[VariantResult]) -> str:
    counts = [n for result in results if (n := len(group.boots_of(result)))]
    low, high = min(counts), max(counts)
    return plural(low, "boot") if low == high else f"{low} to {high} boots"
