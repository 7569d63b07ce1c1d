"""Tables of boots: times and verdicts on them, the running guest."""

from collections.abc import Callable, Iterable, Sequence

from atomic_lib.guest.boot_record import Boot
from atomic_lib.measure.guards.image_guards import socket_words
from atomic_lib.report.elements.blocks import Details, Stack
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import delta
from atomic_lib.report.tables.boot.denial_tables import denials_table
from atomic_lib.report.tables.boot.time_cells import summary_cell, verdict_cell
from atomic_lib.report.text import methods
from atomic_lib.report.text.boot_words import excluded_notes, failed_boot_notes, not_alone_notes
from atomic_lib.results.analysis.boot_groups import (
    MILESTONES,
    PHASES,
    BootGroup,
    boot_groups,
    measured_boots,
)
from atomic_lib.results.analysis.boot_times import BootTime
from atomic_lib.results.analysis.metrics import Metric, guest_metrics, missing_boot_reason
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_COMPARED = ("ssh-login", "docker-ready")


def boot_times(study: StudyResult) -> Table:
    """Phases and milestones of every kind of boot: medians with their intervals."""
    seen = {mark.name for result in study.variants for boot in result.boots for mark in boot.milestones}
    milestones = [(name, title) for name, title in MILESTONES.items() if name in seen or name in _COMPARED]
    columns = [(result, group) for result in study.variants for group in boot_groups([result]) or (None,)]
    rows, records = [], []
    for name, title in (*PHASES, *milestones):
        rows.append((Cell(title if name in seen or name in _COMPARED else f"phase: {title}"),
                     *(_time_cell(result, group, name) for result, group in columns)))  # fmt: skip
    for result, group in columns:
        if group:
            medians = {
                name: (s := BootTime(group, name).summary(result)) and s.median for name, _ in (*PHASES, *milestones)
            }
            n = len(group.boots_of(result))
            records.append({"variant": result.variant, "kind": str(group), "n": n, **medians})
    header = (
        "",
        *(f"{r.variant} ({group}, n={len(group.boots_of(r))})" if group else r.variant for r, group in columns),
    )
    note = "Phases are timed by the guest, one after another; milestones count from the start of QEMU."
    failed = (*not_alone_notes(study.variants), *excluded_notes(study.variants), *failed_boot_notes(study.variants))
    return Table(
        "Phases and milestones of boots", header, tuple(rows) if columns else (), tuple(records),
        (note, *failed, *_tcg_note(study)), methods.WALL, "boots.csv", fixed=True,
    )  # fmt: skip


def _time_cell(result: VariantResult, group: BootGroup | None, name: str) -> Cell:
    if group is None:
        return missing(missing_boot_reason(result))
    return summary_cell(BootTime(group, name).summary(result), reason="not reached")


def verdicts(study: StudyResult) -> Table:
    """Whether a variant boots faster or slower than the baseline, as far as the statistics allow to say."""
    times = [BootTime(group, name) for group in boot_groups(study.variants) for name in _COMPARED]
    rows = []
    for time in times:
        cells = [_verdict_cell(time, study, result) for result in study.others()]
        rows.append((Cell(f"to {MILESTONES[time.name]}", str(time.group)), *cells))
    header = (f"against {study.baseline}", *(result.variant for result in study.others()))
    how = (
        f"{methods.WALL} “Faster” and “slower” need a rank test with p < 0.002 and a difference of the medians larger "
        "than the noise of this session with nothing changed; otherwise no difference is shown."
    )
    return Table(
        "Faster or slower", header, tuple(rows) if study.others() else (), how=how, csv="boots.csv", fixed=True
    )


def running(study: StudyResult) -> Stack:
    """The running guest after its boot: memory, processes, services, sockets, set-uid files, SELinux denials."""
    figures = guest_metrics(study.variants)
    rows = tuple((Cell(m.title), *(_figure(m, result, study) for result in study.variants)) for m in figures)
    records = tuple(
        {"variant": result.variant, "figure": m.name, "value": m.value(result)}
        for m in figures
        for result in study.variants
    )
    header = ("", *(result.variant for result in study.variants))
    notes = excluded_notes(study.variants)
    table = Table("The running guest", header, rows, records, notes, methods.RUNNING, "boots.csv", fixed=True)
    lists: tuple[tuple[str, str, Callable[[Boot], Iterable[str]]], ...] = (
        ("Listening sockets", "listeners.csv", lambda boot: map(socket_words, boot.listeners or ())),
        ("Set-uid files", "setuid_files.csv", lambda boot: boot.setuid_files or ()),
    )
    folded = [_presence(study, *one) for one in lists]
    denied = (denials_table(study),) if any(boot.denials for r in study.variants for boot in r.boots) else ()
    return Stack((table, *denied, *(Details(table.caption, table) for table in folded if table.rows)))


def _verdict_cell(time: BootTime, study: StudyResult, result: VariantResult) -> Cell:
    verdict = time.verdict(study, result)
    base = study.variant(study.baseline)
    reason = missing_boot_reason(result, time.group)
    if verdict is None and base is not None and time.summary(result) is not None:
        reason = f"{study.baseline}: {missing_boot_reason(base, time.group)}"
    return verdict_cell(verdict, reason=reason)


def _figure(metric: Metric, result: VariantResult, study: StudyResult) -> Cell:
    found, base = metric.value(result), study.variant(study.baseline)
    before = metric.value(base) if base and base is not result else None
    note = "" if found is None or before is None else delta(found, before, metric.unit)
    return number(found, metric.unit, note=note, reason=metric.reason(result))


def _presence(study: StudyResult, caption: str, csv: str, names_of: Callable[[Boot], Iterable[str]]) -> Table:
    """Which variants have which socket or file, over all measured boots."""
    found = {r.variant: {name for boot in measured_boots(r.boots) for name in names_of(boot)} for r in study.variants}
    names = sorted(set().union(*found.values())) if found else []
    rows = tuple(
        (Cell(name), *(Cell("✓ yes") if name in found[r.variant] else Cell("no") for r in study.variants))
        for name in names
    )
    records = tuple({"variant": variant, "name": name} for variant, of in found.items() for name in sorted(of))
    header = ("", *(result.variant for result in study.variants))
    return Table(caption, header, rows, records, (), methods.RUNNING, csv)


def _tcg_note(study: StudyResult) -> Sequence[str]:
    accelerators = {boot.accelerator for result in study.variants for boot in result.boots}
    if not accelerators:
        return ("No variant was booted by wall clock.",)
    return (methods.TCG,) if "tcg" in accelerators else ()
