"""The tables of a finished run that the documentation shows: sizes, boots, labels, stages; provisioning methods."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.result_files import read_study_result
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult
from benchmarks.measured import Column, Format, MeasuredTable, Source, Value

FAULTS_FILE = "conformance.json"
"""The file of a run of the study provisioning with the outcome of each injected fault."""
_STAGES = ("resolve", "compose", "image")


def run_tables(run_directory: Path) -> tuple[MeasuredTable, ...]:
    """The tables that the documentation has of a run's study; a table without a single figure is left out.

    Raises WorkbookError for a study that the documentation does not show, for a run with a variant
    that failed or is incomplete, and for files that are missing.
    """
    study = read_study_result(run_directory)
    unfinished = [result.variant for result in study.variants if result.status != "ok"]
    if unfinished:
        raise WorkbookError(f"run {study.run}: {unfinished[0]} is not ok", hint="make a run in which every variant is")
    if study.study == "provisioning":
        return _provisioning(study), _faults(study, run_directory / FAULTS_FILE)
    if study.study == "default":
        return tuple(filter(None, (_sizes(study), _boots(study), _labels(study), _stages(study))))
    raise WorkbookError(
        f"run {study.run}: the documentation shows no table of study {study.study!r}",
        hint="it shows tables of the studies default and provisioning",
    )


def _sizes(study: StudyResult) -> MeasuredTable | None:
    columns = (_column("packages", "count"), _column("tree", "bytes"), _column("raw image, allocated", "bytes"),
               _column("compressed image (qcow2)", "bytes"))  # fmt: skip
    rows = [
        (result.variant, result.package_count, result.tree_bytes, result.image_allocated_bytes,
         result.image_compressed_bytes)
        for result in study.variants
    ]  # fmt: skip
    return _table("sizes", "Sizes of the default study's variants", study, columns, rows)


def _boots(study: StudyResult) -> MeasuredTable | None:
    columns = (_column("ssh login", "seconds"), _column("Docker ready", "seconds"),
               _column("processor time, counted", "seconds"))  # fmt: skip
    rows = []
    for result in study.variants:
        boots = [boot for boot in result.boots if boot.firmware == "bios" and not boot.warm_up]
        logins = _samples([boot.ssh_login_seconds for boot in boots])
        docker = _samples([boot.docker_ready_seconds for boot in boots])
        rows.append((result.variant, logins, docker, _samples([boot.busy_seconds for boot in result.counted_boots])))
    how = "+".join(sorted({boot.accelerator.upper() for result in study.variants for boot in result.boots}))
    caption = f"Boots of the default study's variants through BIOS ({how or 'none by wall clock'}), and counted boots"
    return _table("boots", caption, study, columns, rows)


def _labels(study: StudyResult) -> MeasuredTable | None:
    columns = tuple(_column(title, "count") for title in ("paths", "as the policy says", "explained", "wrong"))
    rows = [
        (result.variant, labels.checked, labels.right, labels.explained_paths, labels.wrong_paths)
        for result in study.variants
        if (labels := result.labels)
    ]
    return _table("labels", "SELinux labels of the default study's images", study, columns, rows)


def _stages(study: StudyResult) -> MeasuredTable | None:
    columns = tuple(_column(stage, "seconds") for stage in _STAGES)
    rows = []
    for result in study.variants:
        seconds = {stage.stage: stage.seconds for stage in result.stages}
        rows.append((result.variant, *(seconds.get(stage) for stage in _STAGES)))
    caption = "Build time of the default study's variants, built side by side, each stage when it was last made"
    return _table("stages", caption, study, columns, rows)


def _provisioning(study: StudyResult) -> MeasuredTable:
    results = sorted(study.variants, key=lambda result: result.variant != study.baseline)
    columns = (
        Column(title="packages", format="count", difference=True),
        Column(title="tree", format="bytes", difference=True),
        Column(title="processor time", format="seconds", difference=True),
        Column(title="ssh server up", format="seconds", difference=True),
        Column(title="script finished", format="seconds", difference=True),
    )
    rows = [(result.variant, result.package_count, result.tree_bytes, *_counted_times(result)) for result in results]
    caption = "Cost of each provisioning method, as the difference from the tree without an agent (times are counted)"
    table = _table("provisioning", caption, study, columns, rows)
    if table is None:
        raise WorkbookError(f"run {study.run}: no figure was measured")
    return table


def _counted_times(result: VariantResult) -> tuple[Value, Value, Value]:
    """Processor time, ssh server up, user-data script finished, of the first counted boot."""
    if not result.counted_boots:
        return None, None, None
    boot = result.counted_boots[0]
    return boot.busy_seconds, boot.milestones.get("ssh"), boot.milestones.get("script")


def _faults(study: StudyResult, path: Path) -> MeasuredTable:
    if not path.is_file():
        raise WorkbookError(f"{path}: no such file", hint="./workbook run provisioning writes it")
    outcomes: Mapping[str, Any] = json.loads(path.read_text())
    not_run = {agent for agent, _ in outcomes["not_run"]}
    rows = []
    for agent in outcomes["agents"]:
        cells = [cell for cell in outcomes["cells"] if cell["agent"] == agent and cell["outcome"] != "unknown"]
        if cells and agent not in not_run:
            rows.append((agent, len(cells), sum(cell["outcome"] == "survived" for cell in cells)))
    columns = (_column("injected faults", "count"), _column("survived", "count"))
    table = _table("injected-faults", "Injected faults, by agent", study, columns, rows, of="agent")
    if table is None:
        raise WorkbookError(f"{path}: no agent was tested")
    return table


def _table(
    name: str,
    caption: str,
    study: StudyResult,
    columns: Sequence[Column],
    rows: Sequence[tuple[Value, ...]],
    *,
    of: str = "variant",
) -> MeasuredTable | None:
    """The table of a study; ``of``: what its rows are. None if no figure was measured."""
    if all(value is None for row in rows for value in row[1:]):
        return None
    return MeasuredTable(
        name=name,
        caption=caption,
        source=_source(study),
        columns=(Column(title=of), *columns),
        rows=tuple((f"`{row[0]}`", *row[1:]) for row in rows),
    )


def _source(study: StudyResult) -> Source:
    revisions = {str(result.provenance.get("git_revision") or "") for result in study.variants}
    hosts = [boot.host for result in study.variants for boot in result.boots]
    host = hosts[0] if hosts else None
    return Source(
        command=f"`./workbook run {study.study}`, run {study.run}",
        revision=revisions.pop() if len(revisions) == 1 else None,
        date=study.created[:10],
        machine=f"{host.cpus} CPUs ({host.cpu_model})" if host else None,
        load_1m=host.load_1m if host else None,
        note="The content is stand-in content: figures compare choices." if _is_standin(study) else "",
    )


def _is_standin(study: StudyResult) -> bool:
    return any(result.content == "standin" for result in study.variants)


def _samples(values: Sequence[float | None]) -> Value:
    known = tuple(value for value in values if value is not None)
    return known or None


def _column(title: str, format: Format) -> Column:
    return Column(title=title, format=format)
