"""Writes finished runs into the history, each in one transaction; what is written comes from the run's directory."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median

from pydantic import ValidationError

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.results.analysis.fallbacks import has_failed
from atomic_lib.results.analysis.metrics import metrics, unclocked_metrics
from atomic_lib.results.history.database import transaction
from atomic_lib.results.result_files import RESULTS_FILE, read_study_result
from atomic_lib.results.run_facts import RunFacts
from atomic_lib.results.runs import finished_runs
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import LOCK_FILE, Lock, read_lock


def record_missing_runs(history: sqlite3.Connection, runs: Path) -> list[str]:
    """Record the finished runs that the history lacks, and return their names.

    A run that another version of the workbook wrote, or whose files are damaged, is left out; a line says so.
    """
    known = {name for (name,) in history.execute("SELECT run FROM runs")}
    recorded = []
    for directory in sorted(finished_runs(runs)):
        if directory.name in known or not (directory / RESULTS_FILE).is_file():
            continue
        try:
            record_run(history, directory)
        except WorkbookError as error:
            say(f"! history: run {directory.name} is left out: {error.message}")
        else:
            recorded.append(directory.name)
    return recorded


def record_run(history: sqlite3.Connection, directory: Path) -> None:
    """Record one run with all its builds, or nothing of it; does nothing if the history has the run already.

    Raises WorkbookError if its results or a lock cannot be read, or contradict themselves.
    """
    study = read_study_result(directory)
    _require_time(study)
    locks = {
        result.variant: read_lock(directory / result.variant / LOCK_FILE)
        for result in study.variants
        if result.lock_sha256 and (directory / result.variant / LOCK_FILE).exists()
    }
    try:
        with transaction(history):
            if history.execute("SELECT 1 FROM runs WHERE run = ?", (study.run,)).fetchone():
                return
            _insert(history, "runs", _run_row(study))
            for result in study.variants:
                _record_build(history, study, result, locks.get(result.variant))
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, OverflowError, UnicodeError) as error:
        raise WorkbookError(f"{directory.name}: its results or a lock contradict themselves: {error}") from None


def _require_time(study: StudyResult) -> None:
    """Require that the run was made at a time: figures over time and the pages of all runs show it."""
    try:
        datetime.fromisoformat(study.created)
    except ValueError as error:
        raise WorkbookError(f"{study.run}: {RESULTS_FILE}: created: {error}") from None


def _run_row(study: StudyResult) -> dict[str, object]:
    facts = facts_of(study)
    machine = dict(facts.machine) if facts.machine else _machine_of_boots(study.variants)
    return {
        "run": study.run,
        "study": study.study,
        "title": study.title,
        "baseline": study.baseline,
        "created": study.created,
        "status": "failed" if study.failed_updates or any(map(has_failed, study.variants)) else "ok",
        "whole": facts.whole,
        "inputs": facts.inputs,
        **machine,
    }


def facts_of(study: StudyResult) -> RunFacts:
    """What the run says of itself; runs of earlier versions of the workbook say nothing."""
    try:
        return RunFacts.model_validate(study.provenance)
    except ValidationError as error:
        raise WorkbookError(f"{RESULTS_FILE}: provenance: {error.errors()[0]['msg']}") from None


def _machine_of_boots(results: Iterable[VariantResult]) -> dict[str, object]:
    hosts = [boot.host for result in results for boot in result.boots if boot.host.cpu_model]
    return {"cpu_model": hosts[0].cpu_model, "cpus": hosts[0].cpus} if hosts else {}


def _record_build(history: sqlite3.Connection, study: StudyResult, result: VariantResult, lock: Lock | None) -> None:
    if lock:
        _record_lock(history, lock)
    build = _insert(history, "builds", {
        "run": study.run,
        "variant": result.variant,
        "status": result.status,
        "passed": result.status == "ok" and not has_failed(result),
        "failed_stage": result.error.stage if result.error else None,
        "error": result.error.message if result.error else None,
        "method": result.method,
        "content": result.content,
        "recipe": result.recipe,
        "agent": result.agent,
        "version": result.version,
        "lock": lock.sha256 if lock else None,
        "commit_checksum": result.commit,
        "content_checksum": result.content_checksum,
        "image_sha256": result.image_sha256,
        "image_compressed_sha256": result.image_compressed_sha256,
    })  # fmt: skip
    rows: dict[str, Iterable[Mapping[str, object]]] = {
        "parameters": ({"parameter": name, "value": text_of(value)} for name, value in result.parameters.items()),
        "versions": (
            {"program": name, "version": text_of(version)}
            for name, version in result.provenance.items()
            if version is not None
        ),
        "stages": (
            {"stage": one.stage, "key": one.key, "seconds": one.seconds, "reused": one.reused} for one in result.stages
        ),
        "figures": _figure_rows(study, result),
        "packages": (
            {
                "name": one.name, "epoch": one.epoch, "version": one.version, "release": one.release, "arch": one.arch,
                "class": one.class_, "files": one.files, "bytes": one.bytes, "image_bytes": one.image_bytes,
                "qcow2_bytes": one.qcow2_bytes,
            }
            for one in result.packages
        ),
        "counted_units": _unit_rows(result),
        "breaches": (
            {
                "budget": one.budget, "item": one.item, "unit": one.unit, "value": one.value,
                "budget_limit": one.limit, "cause": one.causes[0].name if one.causes else one.detail,
            }
            for one in study.breaches
            if one.variant == result.variant
        ),
    }  # fmt: skip
    for table, found in rows.items():
        for row in found:
            _insert(history, table, {"build": build, **row})


def _record_lock(history: sqlite3.Connection, lock: Lock) -> None:
    if history.execute("SELECT 1 FROM locks WHERE lock = ?", (lock.sha256,)).fetchone():
        return
    _insert(history, "locks", {"lock": lock.sha256, "content": lock.content})
    for package in lock.packages:
        _insert(history, "locked_packages", {"lock": lock.sha256, **vars(package)})


def _figure_rows(study: StudyResult, result: VariantResult) -> Iterator[dict[str, object]]:
    """Every figure that was measured. ``n``: of how many boots it is the median; 1 for a figure of the build."""
    timed = [metric for metric in metrics(study) if metric.milestone]
    for metric in (*unclocked_metrics([result]), *timed):
        value = metric.value(result)
        if value is not None:
            n = metric.n(result)
            yield {"figure": metric.name, "title": metric.title, "unit": metric.unit, "value": value, "n": n}


def _unit_rows(result: VariantResult) -> Iterator[dict[str, object]]:
    """The median of each unit's counted seconds."""
    units: dict[str, list[float]] = {}
    packages: dict[str, str | None] = {}
    for boot in result.counted_boots:
        for unit in boot.units:
            if unit.cpu_seconds is not None:
                units.setdefault(unit.unit, []).append(unit.cpu_seconds)
                packages[unit.unit] = unit.package
    for unit_name, seconds in units.items():
        yield {"unit": unit_name, "package": packages[unit_name], "counted_seconds": median(seconds)}


def text_of(value: object) -> str:
    """A parameter or a version as the history keeps it; empty for None."""
    return "" if value is None else str(value)


def _insert(history: sqlite3.Connection, table: str, row: Mapping[str, object]) -> int:
    """Insert a row and return its number. Names of tables and columns are this module's own."""
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    cursor = history.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values()))
    return cursor.lastrowid or 0
