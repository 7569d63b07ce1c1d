"""The tidy CSV tables of a run: one observation per row, units in the column names.

An empty field means "not measured"; a table without rows has its header line only.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.evidence.systemd import Phases
from atomic_lib.results.analysis import fallbacks
from atomic_lib.results.analysis.denial_reasons import default_reasons
from atomic_lib.results.analysis.metrics import COUNTED, metrics
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.tables.csv_updates import UPDATE_TABLES, update_headers
from atomic_lib.results.update.update_results import UpdateResults
from atomic_lib.results.variant_result import VariantResult

_Row = tuple[object, ...]
_PACKAGE_FIELDS = (
    "name", "epoch", "version", "release", "arch", "files", "bytes", "class_", "allocated_bytes", "image_bytes",
    "qcow2_bytes", "download_bytes",
)  # fmt: skip
_BOOT_FIELDS = (
    "firmware", "index", "accelerator", "warm_up", "started", "cpus", "memory_mib", "alone", "ssh_login_seconds",
    "docker_ready_seconds", "script_done_seconds", "multi_user_seconds", "memory_used_bytes", "memory_total_bytes",
    "process_count", "service_count", "selinux_mode", "denials_lost", "kernel_release", "console_log",
)  # fmt: skip
_UNIT_FIELDS = ("unit", "package", "started_seconds", "seconds", "critical", "cpu_seconds", "memory_bytes")
_DENIAL_FIELDS = ("source", "target", "target_class", "comm", "name", "permissive", "count")
GUARD_FIELDS = ("guard", "found", "detail", "allowed", "reason")
LABEL_FIELDS = ("variant", "verdict", "exception", "paths", "path", "label", "wanted", "reason")
_CONTAINER_FIELDS = ("name", "epoch", "version", "release", "arch", "place", "files", "bytes", "shared_bytes")
_CONTAINER_FILE_FIELDS = ("package", "path", "reason")
_FAILED_BOOT_FIELDS = ("firmware", "index", "started", "reason")
_HOST_FIELDS = ("cpu_model", "cpus", "load_1m", "load_1m_after", "other_busy_cpus", "qemu_version")


def csv_headers() -> dict[str, tuple[str, ...]]:
    """The columns of every table, by file name; a run without updates lacks those of updates."""
    headers = {name: header for name, (header, _) in _TABLES.items()} | update_headers()
    return {name: tuple(header.split(",")) for name, header in headers.items()}


def csv_texts(study: StudyResult, updates: UpdateResults | None = None) -> dict[str, str]:
    """Every table of a run as CSV text, by file name; those of updates only if there are ``updates``."""
    texts = {name: _text(header, rows(study)) for name, (header, rows) in _TABLES.items()}
    if updates:
        texts |= {name: _text(header, rows(updates)) for name, (header, rows) in UPDATE_TABLES.items()}
    return texts


def _text(header: str, rows: Iterable[_Row]) -> str:
    out = io.StringIO()
    out.write(header + "\n")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _columns(*names: str) -> str:
    return ",".join(name.rstrip("_") for name in names)


def _of_variants(rows: Callable[[VariantResult], Iterable[_Row]]) -> Callable[[StudyResult], Iterator[_Row]]:
    return lambda study: ((result.variant, *row) for result in study.variants for row in rows(result))


def _of_boots(rows: Callable[[Boot], Iterable[_Row]]) -> Callable[[StudyResult], Iterator[_Row]]:
    return _of_variants(lambda result: (
        (boot.firmware, boot.accelerator, boot.index, *row) for boot in result.boots for row in rows(boot)
    ))  # fmt: skip


def _values(thing: object, names: Iterable[str]) -> _Row:
    return tuple(getattr(thing, name) for name in names)


def _figures(study: StudyResult) -> Iterator[_Row]:
    for metric in (*metrics(study), COUNTED):
        unit = "counted_seconds" if metric.unit == "counted" else metric.unit
        for result in study.variants:
            about = (study.run, study.created, result.content, result.variant)
            yield (*about, metric.name, metric.value(result), unit, metric.n(result))


def _packages(result: VariantResult) -> Iterator[_Row]:
    for package in result.packages:
        why = " > ".join(f"{link.package} ({link.kind})" for link in package.why)
        yield (*_values(package, _PACKAGE_FIELDS), why or None)


def _boots(result: VariantResult) -> Iterator[_Row]:
    for boot in result.boots:
        counts = (None if boot.listeners is None else len(boot.listeners), None if boot.setuid_files is None else len(
            boot.setuid_files))  # fmt: skip
        phases = _values(boot.phases, Phases.model_fields)
        yield (*_values(boot, _BOOT_FIELDS), *counts, *phases, *_values(boot.host, _HOST_FIELDS))


def _departures(result: VariantResult) -> Iterator[_Row]:
    for one in result.departures:
        lists = (" ".join(names) for names in (one.entries, one.packages, one.arrivals))
        yield one.removed, one.title, len(one.packages), one.bytes, one.files, *lists


def _counted_units(result: VariantResult) -> Iterator[_Row]:
    for index, boot in enumerate(result.counted_boots, start=1):
        for unit in boot.units:
            yield index, unit.unit, unit.package, unit.cpu_seconds


def _counted_boots(result: VariantResult) -> Iterator[_Row]:
    for index, boot in enumerate(result.counted_boots, start=1):
        yield (
            index,
            boot.busy_seconds,
            boot.outside_units_seconds,
            boot.shift,
            boot.qemu_version,
            boot.seed,
            " ".join(boot.masked_units),
            " ".join(boot.changed_units),
        )


def _milestones(result: VariantResult) -> Iterator[_Row]:
    for index, boot in enumerate(result.counted_boots, start=1):
        for name, seconds in boot.milestones.items():
            yield index, name, seconds


def _cells(study: StudyResult) -> Iterator[_Row]:
    for cell in study.cells:
        result = study.variant(cell.variant)
        sizes = _values(result, ("package_count", "tree_bytes", "tree_files")) if result else (None, None, None)
        for factor, level in cell.levels.items():
            yield cell.variant, factor, level, *sizes


def _fallbacks(study: StudyResult) -> Iterator[_Row]:
    for found in fallbacks.fallback_outcomes(study):
        stand_in = found.stand_in.variant if found.stand_in else None
        for price in fallbacks.prices(study, found):
            figure = (price.metric.name, price.metric.unit, price.run or study.run)
            yield found.failed.variant, stand_in, *figure, price.failed, price.fallback, price.cost


def label_rows(result: VariantResult) -> tuple[tuple[str, str, int, str, str, str, str], ...]:
    """One row for what is right, for each exception (``path`` is an example), and for each wrong path."""
    labels = result.labels
    if labels is None:
        return ()
    return (
        ("right", "", labels.right, "", "", "", ""),
        *(("explained", one.exception, one.paths, one.example, "", "", one.reason) for one in labels.explained),
        *(("wrong", "", 1, one.path, one.label, one.wanted, "") for one in labels.wrong),
    )


def _of_container(result: VariantResult, part: str, fields: Sequence[str]) -> Iterator[_Row]:
    """One row for each package or file of the container image."""
    made = result.container
    return ((made.name, *_values(one, fields)) for one in getattr(made, part)) if made else iter(())


def guard_rows(result: VariantResult) -> tuple[tuple[str, str, str, bool, str], ...]:
    """One row for each finding of a guard that is named."""
    return tuple(
        (guard.guard, one.found, one.detail, bool(one.reason), one.reason)
        for guard in result.guards or ()
        for one in guard.findings
    )


_BOOT = ("variant", "firmware", "accelerator", "index")
_TABLES: dict[str, tuple[str, Callable[[StudyResult], Iterable[_Row]]]] = {
    "figures.csv": ("run,date,content,variant,figure,value,unit,n", _figures),
    "packages.csv": (_columns("variant", *_PACKAGE_FIELDS, "why"), _of_variants(_packages)),
    "footprint_by_class.csv": (
        "variant,class,files,bytes,allocated_bytes",
        _of_variants(lambda r: (_values(size, ("class_", "files", "bytes", "allocated_bytes")) for size in r.classes)),
    ),
    "directories.csv": (
        "variant,path,bytes,files,allocated_bytes",
        _of_variants(lambda r: (_values(one, ("path", "bytes", "files", "allocated_bytes")) for one in r.directories)),
    ),
    "image_parts.csv": (
        "variant,part,image_bytes,qcow2_bytes",
        _of_variants(lambda r: (_values(one, ("part", "image_bytes", "qcow2_bytes")) for one in r.image_parts)),
    ),
    "labels.csv": (_columns(*LABEL_FIELDS), _of_variants(label_rows)),
    "guards.csv": (_columns("variant", *GUARD_FIELDS), _of_variants(guard_rows)),
    "container_packages.csv": (
        _columns("variant", "container", *_CONTAINER_FIELDS),
        _of_variants(lambda r: _of_container(r, "packages", _CONTAINER_FIELDS)),
    ),
    "container_files.csv": (
        _columns("variant", "container", *_CONTAINER_FILE_FIELDS),
        _of_variants(lambda r: _of_container(r, "differences", _CONTAINER_FILE_FIELDS)),
    ),
    "departures.csv": ("variant,removed,title,packages,bytes,files,entries,names,arrivals", _of_variants(_departures)),
    "steps.csv": ("decision,variant", lambda study: ((step.decision, step.variant) for step in study.steps)),
    "cells.csv": ("variant,factor,level,package_count,tree_bytes,tree_files", _cells),
    "fallbacks.csv": ("variant,fallback,figure,unit,run,failed_value,fallback_value,cost", _fallbacks),
    "boots.csv": (
        _columns("variant", *_BOOT_FIELDS, "listeners", "setuid_files", *Phases.model_fields,
                 *(f"host_{name}" for name in _HOST_FIELDS)),
        _of_variants(_boots),
    ),
    "failed_boots.csv": (
        _columns("variant", *_FAILED_BOOT_FIELDS),
        _of_variants(lambda r: (_values(boot, _FAILED_BOOT_FIELDS) for boot in r.failed_boots)),
    ),
    "milestones.csv": (
        _columns(*_BOOT, "name", "seconds"),
        _of_boots(lambda boot: (_values(mark, ("name", "seconds")) for mark in boot.milestones)),
    ),
    "units.csv": (
        _columns(*_BOOT, *_UNIT_FIELDS),
        _of_boots(lambda boot: (_values(unit, _UNIT_FIELDS) for unit in boot.units)),
    ),
    "listeners.csv": (
        _columns(*_BOOT, "protocol", "address", "program"),
        _of_boots(lambda boot: (_values(one, ("protocol", "address", "program")) for one in boot.listeners or ())),
    ),
    "setuid_files.csv": (
        _columns(*_BOOT, "path"),
        _of_boots(lambda boot: ((path,) for path in boot.setuid_files or ())),
    ),
    "denials.csv": (
        _columns(*_BOOT, "permissions", *_DENIAL_FIELDS, "reason"),
        _of_boots(lambda boot: (
            (" ".join(one.permissions), *_values(one, _DENIAL_FIELDS), default_reasons().reason_of(one) or None)
            for one in boot.denials or ()
        )),
    ),
    "checks.csv": (
        _columns(*_BOOT, "name", "passed", "detail"),
        _of_boots(lambda boot: (_values(check, ("name", "passed", "detail")) for check in boot.checks)),
    ),
    "counted_boots.csv": (
        "variant,index,busy_counted_seconds,kernel_counted_seconds,shift,qemu_version,seed,masked_units,changed_units",
        _of_variants(_counted_boots),
    ),
    "counted_milestones.csv": ("variant,index,name,counted_seconds", _of_variants(_milestones)),
    "counted_units.csv": ("variant,index,unit,package,cpu_counted_seconds", _of_variants(_counted_units)),
    "stages.csv": (
        "variant,stage,seconds,reused,key",
        _of_variants(lambda r: (_values(stage, ("stage", "seconds", "reused", "key")) for stage in r.stages)),
    ),
}  # fmt: skip
