"""Tables of a study: its variants side by side, against the baseline."""

from collections.abc import Mapping, Sequence

from atomic_lib.report import tables
from atomic_lib.report.classes import default_class_rules
from atomic_lib.report.metrics import (
    BootGroup,
    Metric,
    boot_groups,
    median_of,
    metrics,
    missing_boot_reason,
    missing_reason,
)
from atomic_lib.report.model import Boot, Phases, StudyResult, VariantResult
from atomic_lib.report.show import Cell, Details, Paragraph, Stack, Table, delta, missing, number, plural, verdict

_STATUS = {"ok": "✓ ok", "failed": "✗ failed", "incomplete": "… incomplete"}


def heading(study: StudyResult) -> Paragraph:
    """Which study, which run, when, against which baseline."""
    booted = ", ".join(sorted({boot.accelerator.upper() for result in study.variants for boot in result.boots}))
    made = study.created[:16].replace("T", " ")
    return Paragraph(
        f"{study.title.rstrip('.')}. Study {study.study}, run {study.run}, made {made} UTC. "
        f"Baseline: {study.baseline}. Accelerator: {booted or 'none, nothing was booted'}."
    )


def comparison(study: StudyResult) -> Table:
    """Every figure of every variant, with the difference to the baseline below it."""
    base = study.variant(study.baseline)
    rows = [(Cell("status"), *(_status(result) for result in study.variants))]
    rows.append((Cell("method"), *(Cell(result.method, result.agent) for result in study.variants)))
    records = []
    for metric in metrics(study):
        base_value = metric.value(base) if base else None
        rows.append((Cell(metric.title), *(_figure(metric, result, study, base_value) for result in study.variants)))
        records += [_record(metric, result, base_value) for result in study.variants]
    header = ("", *(_heading(study, result) for result in study.variants))
    return Table("Variants side by side", header, tuple(rows), tuple(records), _comparison_notes(study))


def checks(study: StudyResult) -> Table:
    """Which proof of life each variant passed, over all its boots."""
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
    note = "Files of a kind are counted by walking the tree, not by asking the package database."
    return Table("Proof of life", header, tuple(rows), records, (note,) if kinds else ())


def footprint(study: StudyResult) -> Table:
    """The tree of every variant by class, with the difference to the baseline."""
    rules = default_class_rules()
    sizes = {r.variant: {size.class_: size.bytes for size in r.classes} for r in study.variants if r.classes}
    names = sorted({name for classes in sizes.values() for name in classes}, key=rules.order_of)
    wanted = [(rules.title_of(name), (name,)) for name in names] + [("whole tree", tuple(names))]
    rows = tuple(
        (Cell(title), *(_class_cell(study, result, sizes, classes) for result in study.variants))
        for title, classes in wanted
    )
    records = tuple(
        {"variant": variant, "class": name, "bytes": size} for variant, of in sizes.items() for name, size in of.items()
    )
    header = ("class", *(_heading(study, result) for result in study.variants))
    return Table("The tree by class", header, rows, records)


def boot_times(study: StudyResult) -> Table:
    """Phases and marks of every kind of boot: the median, and the range where there is more than one boot."""
    times = (*tables.PHASES, ("ssh_login_seconds", "to ssh login"), ("docker_ready_seconds", "to Docker ready"))
    rows, records = [], []
    for result in study.variants:
        for group in boot_groups([result]):
            boots = group.boots_of(result)
            values = {name: [_seconds(boot, name) for boot in boots] for name, _ in times}
            rows.append(
                (Cell(result.variant, f"{group}, n={len(boots)}"), *(_spread(values[name]) for name, _ in times))
            )
            medians = {name: median_of(of) for name, of in values.items()}
            key = {"variant": result.variant, "firmware": group.firmware, "accelerator": group.accelerator}
            records.append({**key, "n": len(boots), **medians})
        if not result.boots:
            rows.append((Cell(result.variant), *(missing(missing_boot_reason(result)) for _ in times)))
    note = "Phases are the guest's own count; logins count from the start of QEMU. " + _statistics_note(study)
    return Table(
        "Boot, median times", ("variant", *(title for _, title in times)), tuple(rows), tuple(records), (note,)
    )


def units(study: StudyResult, top: int = 12) -> Table:
    """The slowest units of all variants, by the kind of boot that most variants have."""
    groups = boot_groups(study.variants)
    if not groups:
        return Table("Slowest units: no variant was booted", ("unit",), ())
    group = max(groups, key=lambda one: sum(bool(one.boots_of(result)) for result in study.variants))
    times = {result.variant: tables.unit_medians(group, result) for result in study.variants}
    names = sorted({name for of in times.values() for name in of}, key=lambda name: -max(
        of.get(name, 0.0) for of in times.values()))  # fmt: skip
    rows = tuple(
        (Cell(name), *(_unit(times[result.variant].get(name), result, group) for result in study.variants))
        for name in names[:top]
    )
    records = tuple(
        {"variant": variant, "unit": unit, "seconds": seconds}
        for variant, of in times.items()
        for unit, seconds in of.items()
    )
    note = "Units start side by side: their times do not add up to the boot's. " + _statistics_note(study)
    header = ("unit", *(result.variant for result in study.variants))
    return Table(f"Slowest units ({group})", header, rows, records, (note,))


def packages(study: StudyResult) -> Stack:
    """The largest packages of every variant, folded away."""
    shown = [(result, tables.packages_table(result)) for result in study.variants if result.packages]
    return Stack(tuple(Details(f"{r.variant}: {plural(len(r.packages), 'package')}", table) for r, table in shown))


def stages(study: StudyResult) -> Table:
    """How long each stage of each variant took when it was made, and which ones this run found made."""
    names = dict.fromkeys(stage.stage for result in study.variants for stage in result.stages)
    rows = [(Cell(name), *(_stage(result, name) for result in study.variants)) for name in names]
    rows.append((Cell("made in this run"), *(_made(result) for result in study.variants)))
    records = tuple({"variant": r.variant, **stage.model_dump()} for r in study.variants for stage in r.stages)
    return Table("Time by stage", ("stage", *(result.variant for result in study.variants)), tuple(rows), records)


def provenance(study: StudyResult) -> Stack:
    """Where the figures come from: the run, then every variant, folded away."""
    parts = tuple(Details(result.variant, tables.provenance_table(result)) for result in study.variants)
    return Stack((tables.provenance_table(study), *parts))


def _heading(study: StudyResult, result: VariantResult) -> str:
    return f"{result.variant} (baseline)" if result.variant == study.baseline else result.variant


def _status(result: VariantResult) -> Cell:
    kinds = {"ok": "good", "failed": "bad", "incomplete": "text"}
    failed = {check.name for boot in result.boots for check in boot.checks if not check.passed}
    note = f"stage {result.error.stage}" if result.error else f"{plural(len(failed), 'check')} failed" if failed else ""
    return Cell(_STATUS[result.status], note, kinds[result.status])  # type: ignore[arg-type]


def _figure(metric: Metric, result: VariantResult, study: StudyResult, base_value: float | None) -> Cell:
    value = metric.value(result)
    if value is None:
        return missing(metric.reason(result))
    compared = base_value is not None and result.variant != study.baseline
    return number(value, metric.unit, note=delta(value, base_value or 0, metric.unit) if compared else "")


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
    size = "1 MB is 1,000,000 bytes. Small figures: the difference to the baseline."
    base = study.variant(study.baseline)
    if base is None or base.tree_bytes is None:
        size = f"1 MB is 1,000,000 bytes. The baseline {study.baseline} has no figures: no differences are shown."
    return (size, _statistics_note(study))


def _statistics_note(study: StudyResult) -> str:
    counts = [len(group.boots_of(r)) for r in study.variants for group in boot_groups([r])]
    accelerators = {boot.accelerator for result in study.variants for boot in result.boots}
    if not counts:
        return "No variant was booted."
    boots = "One boot each: no statistics." if max(counts) == 1 else f"Medians of {min(counts)} to {max(counts)} boots."
    if "tcg" in accelerators:
        boots += " TCG emulates the processor: its times compare variants roughly, and say nothing of real hardware."
    return boots


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


def _seconds(boot: Boot, name: str) -> float | None:
    value: float | None = getattr(boot.phases if name in Phases.model_fields else boot, name)
    return value


def _class_cell(
    study: StudyResult, result: VariantResult, sizes: Mapping[str, Mapping[str, int]], classes: Sequence[str]
) -> Cell:
    """The bytes of some classes together; a class without files has 0 bytes, a tree not measured has none."""
    if result.variant not in sizes:
        return missing(missing_reason(result))
    known = [name for name in (result.variant, study.baseline) if name in sizes]
    value, *base = (sum(sizes[name].get(one, 0) for one in classes) for name in known)
    compared = base and result.variant != study.baseline
    return number(value, "bytes", note=delta(value, base[0], "bytes") if compared else "")


def _spread(values: list[float | None]) -> Cell:
    measured = [value for value in values if value is not None]
    note = f"{min(measured):.1f} to {max(measured):.1f}" if len(measured) > 1 else ""
    return number(median_of(values), "seconds", note=note, reason="not reached")


def _unit(seconds: float | None, result: VariantResult, group: BootGroup) -> Cell:
    booted = group.boots_of(result)
    return number(seconds, "seconds", reason="not among the units" if booted else missing_boot_reason(result, group))


def _made(result: VariantResult) -> Cell:
    seconds = sum(stage.seconds for stage in result.stages if not stage.reused) if result.stages else None
    return number(seconds, "seconds", reason=missing_reason(result))


def _stage(result: VariantResult, name: str) -> Cell:
    found = next((stage for stage in result.stages if stage.stage == name), None)
    if found is None:
        return missing(f"failed: {result.error.stage}" if result.error else "no such stage")
    return number(found.seconds, "seconds", note="reused" if found.reused else "made")
