"""Tables of boots: times and what may be said of them, the running guest, counted boots."""

from collections.abc import Callable, Iterable, Sequence

from atomic_lib.report.page.elements import Cell, Details, Section, Shown, Stack, Table, delta, missing, number
from atomic_lib.report.tables.boot.boot_times import BootTime, summary_cell, verdict_cell
from atomic_lib.report.tables.boot.denial_tables import denials_table
from atomic_lib.report.text import methods
from atomic_lib.results.metrics import (
    MARKS,
    PHASES,
    BootGroup,
    boot_groups,
    counted_in,
    guest_metrics,
    left_out_notes,
    median_of,
    missing_boot_reason,
)
from atomic_lib.results.variant_result import Boot, CountedBoot, StudyResult, VariantResult

_COMPARED = ("ssh-login", "docker-ready")
_EPHEMERAL_PORT = 32768
"""The first port that Linux gives to a socket that asks for any: ip_local_port_range in ip-sysctl."""


def boot_times(study: StudyResult) -> Table:
    """Phases and milestones of every kind of boot: medians with their intervals."""
    seen = {mark.name for result in study.variants for boot in result.boots for mark in boot.milestones}
    marks = [(name, title) for name, title in MARKS.items() if name in seen or name in _COMPARED]
    columns = [(result, group) for result in study.variants for group in boot_groups([result]) or (None,)]
    rows, records = [], []
    for name, title in (*PHASES, *marks):
        rows.append((Cell(title if name in seen or name in _COMPARED else f"phase: {title}"),
                     *(_time_cell(result, group, name) for result, group in columns)))  # fmt: skip
    for result, group in columns:
        if group:
            medians = {name: (s := BootTime(group, name).summary(result)) and s.median for name, _ in (*PHASES, *marks)}
            n = len(group.boots_of(result))
            records.append({"variant": result.variant, "kind": str(group), "n": n, **medians})
    header = (
        "",
        *(f"{r.variant} ({group}, n={len(group.boots_of(r))})" if group else r.variant for r, group in columns),
    )
    note = "Phases are the guest's own count, one after another; milestones count from the start of QEMU."
    return Table(
        "Phases and milestones of boots", header, tuple(rows) if columns else (), tuple(records),
        (note, *left_out_notes(study.variants), *_tcg_note(study)), methods.WALL, "boots.csv", fixed=True,
    )  # fmt: skip


def _time_cell(result: VariantResult, group: BootGroup | None, name: str) -> Cell:
    if group is None:
        return missing(missing_boot_reason(result))
    return summary_cell(BootTime(group, name).summary(result), reason="not reached")


def verdicts(study: StudyResult) -> Table:
    """Whether a variant boots faster or slower than the baseline, as far as the statistics allow a word."""
    times = [BootTime(group, name) for group in boot_groups(study.variants) for name in _COMPARED]
    rows = []
    for time in times:
        cells = [_verdict_cell(time, study, result) for result in study.others()]
        rows.append((Cell(f"to {MARKS[time.name]}", str(time.group)), *cells))
    header = (f"against {study.baseline}", *(result.variant for result in study.others()))
    how = (
        f"{methods.WALL} A word needs a rank test with p < 0.002 and a shift beyond the noise that this session has "
        "with nothing changed; otherwise no difference is shown."
    )
    return Table(
        "Faster or slower", header, tuple(rows) if study.others() else (), how=how, csv="boots.csv", fixed=True
    )


def running(study: StudyResult) -> Stack:
    """What runs after the boot: memory, processes, services, sockets, set-uid files, what SELinux denied."""
    figures = guest_metrics(study.variants)
    rows = tuple(
        (Cell(m.title), *(_figure(m.value, result, study, m.unit, m.reason(result)) for result in study.variants))
        for m in figures
    )
    records = tuple(
        {"variant": result.variant, "figure": m.name, "value": m.value(result)}
        for m in figures
        for result in study.variants
    )
    header = ("", *(result.variant for result in study.variants))
    notes = left_out_notes(study.variants)
    table = Table("The running guest", header, rows, records, notes, methods.RUNNING, "boots.csv", fixed=True)
    lists: tuple[tuple[str, str, Callable[[Boot], Iterable[str]]], ...] = (
        ("Listening sockets", "listeners.csv", _sockets),
        ("Set-uid files", "setuid_files.csv", lambda boot: boot.setuid_files or ()),
    )
    folded = [_presence(study, *one) for one in lists]
    denied = (denials_table(study),) if any(boot.denials for r in study.variants for boot in r.boots) else ()
    return Stack((table, *denied, *(Details(table.caption, table) for table in folded if table.rows)))


def counted(study: StudyResult) -> Section:
    """Counted boots: busy time, milestones, units; nothing where none was made."""
    if not any(result.counted_boots for result in study.variants):
        return Section("Counted boots", "", ())
    text = (
        "A counted boot does not depend on how busy the machine is. Counted seconds are no wall-clock seconds and are "
        "never set beside them."
    )
    parts: list[Shown] = [_counted_boots(study), _counted_units(study)]
    return Section("Counted boots", text, tuple(parts))


def _counted_boots(study: StudyResult) -> Table:
    names = dict.fromkeys(name for r in study.variants for boot in r.counted_boots for name in boot.milestones)
    figures: list[tuple[str, Callable[[CountedBoot], float | None]]] = [
        ("busy time", lambda boot: boot.busy_seconds),
        ("of it outside of all units (the remainder)", lambda boot: boot.outside_units_seconds),
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
    told = (("Masked in these boots", masked), ("Changed in these boots", changed))
    notes = tuple(f"{head}: {', '.join(units)}." for head, units in told if units)
    header = ("counted seconds", *(result.variant for result in study.variants))
    return Table(
        "Counted boot cost", header, tuple(rows), records, notes, methods.COUNTED, "counted_boots.csv", fixed=True
    )


def _counted_units(study: StudyResult) -> Table:
    """Units by their largest counted time; the kernel and the sums are in the table before."""
    times = {
        result.variant: {
            name: median_of(_unit_seconds(boot, name) for boot in result.counted_boots)
            for name in dict.fromkeys(unit.unit for boot in result.counted_boots for unit in boot.units)
        }
        for result in study.variants
        if result.counted_boots
    }
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


def _counted_unit_cell(times: dict[str, dict[str, float | None]], result: VariantResult, name: str) -> Cell:
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


def _unit_seconds(boot: CountedBoot, name: str) -> float | None:
    return next((unit.cpu_seconds for unit in boot.units if unit.unit == name), None)


def _verdict_cell(time: BootTime, study: StudyResult, result: VariantResult) -> Cell:
    verdict = time.verdict(study, result)
    base = study.variant(study.baseline)
    reason = missing_boot_reason(result, time.group)
    if verdict is None and base is not None and time.summary(result) is not None:
        reason = f"{study.baseline}: {missing_boot_reason(base, time.group)}"
    return verdict_cell(verdict, reason=reason)


def _figure(
    value: Callable[[VariantResult], float | None], result: VariantResult, study: StudyResult, unit: str, reason: str
) -> Cell:
    found, base = value(result), study.variant(study.baseline)
    before = value(base) if base and base is not result else None
    kind = "bytes" if unit == "bytes" else "count"
    note = "" if found is None or before is None else delta(found, before, kind)  # type: ignore[arg-type]
    return number(found, kind, note=note, reason=reason)  # type: ignore[arg-type]


def _presence(study: StudyResult, caption: str, csv: str, names_of: Callable[[Boot], Iterable[str]]) -> Table:
    """Which variants have what, over all boots that count."""
    found = {r.variant: {name for boot in counted_in(r.boots) for name in names_of(boot)} for r in study.variants}
    names = sorted(set().union(*found.values())) if found else []
    rows = tuple(
        (Cell(name), *(Cell("✓ yes") if name in found[r.variant] else Cell("no") for r in study.variants))
        for name in names
    )
    records = tuple({"variant": variant, "name": name} for variant, of in found.items() for name in sorted(of))
    header = ("", *(result.variant for result in study.variants))
    return Table(caption, header, rows, records, (), methods.RUNNING, csv)


def _sockets(boot: Boot) -> Iterable[str]:
    return [f"{one.protocol} {_address(one.address)} {one.program}".rstrip() for one in boot.listeners or ()]


def _address(address: str) -> str:
    """The address with ``*`` for a port that the kernel chose: it is another one in every boot."""
    host, colon, port = address.rpartition(":")
    return f"{host}{colon}*" if port.isdecimal() and int(port) >= _EPHEMERAL_PORT else address


def _tcg_note(study: StudyResult) -> Sequence[str]:
    accelerators = {boot.accelerator for result in study.variants for boot in result.boots}
    if not accelerators:
        return ("No variant was booted by the clock.",)
    return (methods.TCG,) if "tcg" in accelerators else ()
