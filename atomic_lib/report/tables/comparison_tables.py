"""Tables of a study: its variants side by side, against the baseline."""

from atomic_lib.report.elements.blocks import Details, Stack
from atomic_lib.report.elements.cells import Cell, missing, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import delta, plural
from atomic_lib.report.tables import variant_tables
from atomic_lib.report.tables.boot.time_cells import summary_cell
from atomic_lib.report.tables.build_contents import verified
from atomic_lib.report.text import methods
from atomic_lib.report.text.boot_words import excluded_notes, failed_boot_notes, not_alone_notes
from atomic_lib.results.analysis import fallbacks
from atomic_lib.results.analysis.boot_groups import boot_groups
from atomic_lib.results.analysis.boot_times import BootTime
from atomic_lib.results.analysis.metrics import Metric, metrics, missing_boot_reason, missing_reason
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_VERDICTS = "“Faster” and “slower” need a rank test with p < 0.002 and a shift larger than the noise of the session."
_STATUS = {"ok": "✓ ok", "failed": "✗ failed", "incomplete": "… incomplete"}


def comparison(study: StudyResult) -> Table:
    """Every figure of every variant, with the difference from the baseline below it."""
    base = study.variant(study.baseline)
    rows = [(Cell("status"), *(_status(study, result) for result in study.variants))]
    rows.append((Cell("method"), *(Cell(result.method, result.agent) for result in study.variants)))
    rows.append((Cell(verified.TITLE), *(verified.verified_cell(result) for result in study.variants)))
    records = []
    for metric in metrics(study):
        if not metric.group and all(metric.value(result) is None for result in study.variants):
            continue  # a study of trees has no images and guests
        base_value = metric.value(base) if base else None
        rows.append((Cell(metric.title), *(_figure(metric, result, study, base_value) for result in study.variants)))
        records += [_record(metric, result, base_value) for result in study.variants]
    header = ("", *(_heading(study, result) for result in study.variants))
    notes = _comparison_notes(study)
    how = f"{methods.TREE} {methods.DOWNLOAD} Boots: {methods.WALL} {_VERDICTS}"
    return Table("Variants side by side", header, tuple(rows), tuple(records), notes, how, "figures.csv", fixed=True)


def checks(study: StudyResult) -> Table:
    """Which checks of the proof of life each variant passed, over all its boots."""
    names = dict.fromkeys(c.name for result in study.variants for boot in result.boots for c in boot.checks)
    rows = [(Cell(name), *(_check(result, name) for result in study.variants)) for name in names]
    rows.append((Cell("no failed unit"), *(_no_failed_unit(result) for result in study.variants)))
    kinds = dict.fromkeys(kind for result in study.variants for kind in result.forbidden_paths)
    rows += [(Cell(f"files of {kind}"), *(_forbidden(r, kind) for r in study.variants)) for kind in kinds]
    records = tuple(
        {"variant": result.variant, "firmware": boot.firmware, "index": boot.index, **check.model_dump()}
        for result in study.variants
        for boot in result.boots
        for check in boot.checks
    )
    header = ("check", *(result.variant for result in study.variants))
    note = "Files of a kind are counted in the tree itself, not in the package database."
    return Table(
        "Proof of life",
        header,
        tuple(rows),
        records,
        (note,) if kinds else (),
        methods.CHECKS,
        "checks.csv",
        fixed=True,
    )


def stages(study: StudyResult) -> Table:
    """How long each stage of each variant took when it ran, and which stages this run reused."""
    names = dict.fromkeys(stage.stage for result in study.variants for stage in result.stages)
    rows = [(Cell(name), *(_stage(result, name) for result in study.variants)) for name in names]
    rows.append((Cell("made in this run"), *(_made(result) for result in study.variants)))
    records = tuple({"variant": r.variant, **stage.model_dump()} for r in study.variants for stage in r.stages)
    header = ("stage", *(result.variant for result in study.variants))
    return Table("Time by stage", header, tuple(rows), records, (), methods.STAGES, "stages.csv", feet=1, fixed=True)


def provenance(study: StudyResult) -> Stack:
    """The inputs and versions that the figures come from: the run, then every variant, folded away."""
    parts = tuple(Details(result.variant, variant_tables.provenance_table(result)) for result in study.variants)
    return Stack((variant_tables.provenance_table(study), *parts))


def _heading(study: StudyResult, result: VariantResult) -> str:
    marked = fallbacks.in_place(result.variant, *fallbacks.stands_in_for(study, result))
    return f"{marked} (baseline)" if result.variant == study.baseline else marked


def _status(study: StudyResult, result: VariantResult) -> Cell:
    kinds = {"ok": "good", "failed": "bad", "incomplete": "text"}
    failed = {check.name for boot in result.boots for check in boot.checks if not check.passed}
    note = f"stage {result.error.stage}" if result.error else f"{plural(len(failed), 'check')} failed" if failed else ""
    found = fallbacks.fallback_outcome(study, result)
    if found and found.stand_in:
        note += f"; {found.stand_in.variant} stands in"
    return Cell(_STATUS[result.status], note, kinds[result.status])  # type: ignore[arg-type]


def _figure(metric: Metric, result: VariantResult, study: StudyResult, base_value: float | None) -> Cell:
    value = metric.value(result)
    if value is None:
        return missing(metric.reason(result))
    compared = base_value is not None and result.variant != study.baseline
    difference = delta(value, base_value or 0, metric.unit) if compared else ""
    if metric.group is None:
        return number(value, metric.unit, note=difference)
    time = BootTime(metric.group, metric.milestone)
    found = time.verdict(study, result)
    note = f"{difference}: {found.word}" if found else difference
    return summary_cell(time.summary(result), note=note)


def _record(metric: Metric, result: VariantResult, base_value: float | None) -> dict[str, object]:
    value = metric.value(result)
    difference = None if value is None or base_value is None else value - base_value
    return {
        "variant": result.variant,
        "figure": metric.name,
        "unit": metric.unit,
        "value": value,
        "baseline": base_value,
        "delta": difference,
    }


def _comparison_notes(study: StudyResult) -> tuple[str, ...]:
    size = "1 MB is 1,000,000 bytes. Below each figure: the difference from the baseline."
    base = study.variant(study.baseline)
    if base is None or base.tree_bytes is None:
        size = f"1 MB is 1,000,000 bytes. The baseline {study.baseline} has no figures, so there are no differences."
    left_out = (*excluded_notes(study.variants), *failed_boot_notes(study.variants))
    return (size, _statistics_note(study), *not_alone_notes(study.variants), *left_out)


def _statistics_note(study: StudyResult) -> str:
    counts = [len(group.boots_of(r)) for r in study.variants for group in boot_groups([r])]
    accelerators = {boot.accelerator for result in study.variants for boot in result.boots}
    if not counts:
        return "No boot is in a median." if accelerators else "No variant was booted by wall clock."
    low, high = min(counts), max(counts)
    boots = "One boot each: no statistics."
    if high > 1:
        boots = f"Medians of {high if low == high else f'{low} to {high}'} boots."
    return f"{boots} {methods.TCG}" if "tcg" in accelerators else boots


def _check(result: VariantResult, name: str) -> Cell:
    found = [check for boot in result.boots for check in boot.checks if check.name == name]
    if not found:
        return missing(missing_boot_reason(result) if not result.boots else "not run")
    passed = [check for check in found if check.passed]
    failed = next((check.detail for check in found if not check.passed), "")
    return verdict(len(passed) == len(found), f"{len(passed)} of {len(found)}", failed)


def _no_failed_unit(result: VariantResult) -> Cell:
    if not result.boots:
        return missing(missing_boot_reason(result))
    units_failed = dict.fromkeys(unit for boot in result.boots for unit in boot.failed_units)
    return verdict(not units_failed, note=", ".join(units_failed))


def _forbidden(result: VariantResult, kind: str) -> Cell:
    count = result.forbidden_paths.get(kind)
    if count is None:
        return missing(missing_reason(result))
    return Cell("none", kind="good") if count == 0 else Cell(f"{count:,}")


def _made(result: VariantResult) -> Cell:
    seconds = sum(stage.seconds for stage in result.stages if not stage.reused) if result.stages else None
    return number(seconds, "seconds", reason=missing_reason(result))


def _stage(result: VariantResult, name: str) -> Cell:
    found = next((stage for stage in result.stages if stage.stage == name), None)
    if found is None:
        return missing(missing_reason(result, "no such stage"))
    return number(found.seconds, "seconds", note="reused" if found.reused else "made")
