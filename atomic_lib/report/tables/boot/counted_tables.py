"""Tables of counted boots: busy time, milestones on the counted clock, processor time by unit."""

from collections.abc import Callable, Mapping

from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.report.elements.blocks import Section, Shown
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import delta
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.boot_groups import median_of
from atomic_lib.results.analysis.counted_comparison import counted_unit_seconds
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult


def counted(study: StudyResult) -> Section:
    """Counted boots: busy time, milestones, units; nothing if none was made."""
    if not any(result.counted_boots for result in study.variants):
        return Section("Counted boots", "", ())
    text = (
        f"A counted boot runs under QEMU's instruction counting. {methods.COUNTED_SECOND} The load of the host does "
        "not change it. The busy time is the time in which the processor did not wait. Counted and wall-clock seconds "
        "are never compared."
    )
    parts: list[Shown] = [_counted_boots(study), _counted_units(study)]
    return Section("Counted boots", text, tuple(parts))


def _counted_boots(study: StudyResult) -> Table:
    names = dict.fromkeys(name for r in study.variants for boot in r.counted_boots for name in boot.milestones)
    figures: list[tuple[str, Callable[[CountedBoot], float | None]]] = [
        ("busy time", lambda boot: boot.busy_seconds),
        ("of which the kernel", lambda boot: boot.outside_units_seconds),
        *((f"clock at {name}", _milestone(name)) for name in names),
    ]
    rows = [(Cell(title), *(_counted_cell(study, r, of) for r in study.variants)) for title, of in figures]
    rows.append((Cell("boots"), *(number(len(result.counted_boots), "count") for result in study.variants)))
    records = tuple(
        {"variant": r.variant, "index": index, "busy_counted_seconds": boot.busy_seconds}
        for r in study.variants
        for index, boot in enumerate(r.counted_boots, start=1)
    )
    masked = sorted({unit for r in study.variants for boot in r.counted_boots for unit in boot.masked_units})
    changed = sorted({unit for r in study.variants for boot in r.counted_boots for unit in boot.changed_units})
    lists = (("Masked in these boots", masked), ("Changed in these boots", changed))
    notes = tuple(f"{head}: {', '.join(units)}." for head, units in lists if units)
    header = ("counted seconds", *(result.variant for result in study.variants))
    return Table(
        "Counted boot cost", header, tuple(rows), records, notes, methods.COUNTED, "counted_boots.csv", fixed=True
    )


def _counted_units(study: StudyResult) -> Table:
    """Units by their largest counted time; the kernel and the sums are in the table above."""
    times = {r.variant: counted_unit_seconds(r) for r in study.variants if r.counted_boots}
    owners = {u.unit: u.package for r in study.variants for boot in r.counted_boots for u in boot.units if u.package}
    names = {name: max(of.get(name) or 0.0 for of in times.values()) for of in times.values() for name in of}
    rows = tuple(
        (
            Cell(name),
            Cell(owners[name]) if name in owners else missing("none known"),
            *(_counted_unit_cell(times, result, name) for result in study.variants),
        )
        for name in sorted(names, key=lambda name: (-names[name], name))
    )
    records = tuple(
        {"variant": variant, "unit": name, "counted_seconds": seconds}
        for variant, of in times.items()
        for name, seconds in of.items()
    )
    header = ("unit", "package", *(result.variant for result in study.variants))
    return Table("Counted processor time by unit", header, rows, records, (), methods.COUNTED, "counted_units.csv")


def _counted_unit_cell(times: Mapping[str, Mapping[str, float]], result: VariantResult, name: str) -> Cell:
    of = times.get(result.variant)
    return number(None if of is None else of.get(name), "counted", reason="not measured" if of is None else "no unit")


def _counted_cell(study: StudyResult, result: VariantResult, value: Callable[[CountedBoot], float | None]) -> Cell:
    values = [found for boot in result.counted_boots if (found := value(boot)) is not None]
    middle = median_of(values)
    if middle is None:
        return missing("not measured")
    base = study.variant(study.baseline)
    base_middle = median_of(value(boot) for boot in base.counted_boots) if base and base is not result else None
    notes = [] if base_middle is None else [delta(middle, base_middle, "counted")]
    notes += [f"{min(values):,.3f} to {max(values):,.3f}"] if len(values) > 1 else []
    return number(middle, "counted", note="; ".join(notes))


def _milestone(name: str) -> Callable[[CountedBoot], float | None]:
    return lambda boot: boot.milestones.get(name)
