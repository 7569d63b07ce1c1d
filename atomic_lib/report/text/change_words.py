"""Why two trees differ in size, and what changed since the previous run of a study, in words."""

from collections.abc import Sequence

from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.elements.blocks import Paragraph, Sentences, Stack
from atomic_lib.report.elements.values import delta, plural, signed
from atomic_lib.report.text.content_words import day
from atomic_lib.results.analysis.counted_comparison import compare_counted
from atomic_lib.results.analysis.metrics import overview_metrics
from atomic_lib.results.analysis.package_changes import Cause
from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.history.package_growth import versions_of
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

MOST_CAUSES = 5
"""So many causes are named; the rest is a sum."""
_MOST_PACKAGES = 3


def cause_words(cause: Cause) -> str:
    """What makes a tree larger or smaller."""
    if cause.kind == "files":
        return f"{default_class_rules().title_of(cause.what)}: files that no package owns"
    return {"removed": "without ", "added": "with "}.get(cause.kind, "") + cause.what


def since_previous_run(study: StudyResult, before: StudyResult | None) -> Stack:
    """What changed in each variant since the previous run of the study; nothing if there was none."""
    if before is None:
        return Stack(())
    lines = tuple((f"{variants}:", f"{text}.") for variants, text in since(study, before))
    return Stack((Paragraph(f"Compared with the run {before.run}, {day(before.created)}."), Sentences(lines)))


def since(study: StudyResult, before: StudyResult) -> tuple[tuple[str, str], ...]:
    """What changed since another run, each with its variants: sizes, a counted boot, packages with their versions."""
    found: dict[str, list[str]] = {}
    for result in study.variants:
        old = before.variant(result.variant)
        found.setdefault(_changed(study, result, old) if old else "is new", []).append(result.variant)
    return tuple((", ".join(variants), text) for text, variants in found.items())


def _changed(study: StudyResult, result: VariantResult, old: VariantResult) -> str:
    if result.error or old.error:
        return f"failed {'now' if result.error else 'then'}, not compared"
    parts = []
    for metric in overview_metrics(study):
        now, then = metric.value(result), metric.value(old)
        if metric.unit == "bytes" and now is not None and then is not None and now != then:
            parts.append(f"{metric.title} {delta(now, then, metric.unit)}")
    found = compare_counted(result, old)
    if found and found.shift_seconds is not None:
        parts.append(f"boot {signed(found.shift_seconds, 'counted')}")
    packages = _package_words(old.packages, result.packages)
    return "; ".join([*parts, *([packages] if packages else [])]) or "nothing changed"


def _package_words(before: Sequence[PackageSize], after: Sequence[PackageSize]) -> str:
    """ "2 packages changed: docker 26.1 → 28.0, runc removed"; empty if none did."""
    old, new = versions_of(before), versions_of(after)
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    named = [_package(name, old.get(name), new.get(name)) for name in names[:_MOST_PACKAGES]]
    more = [f"{len(names) - len(named)} more"] if len(names) > len(named) else []
    return f"{plural(len(names), 'package')} changed: {', '.join([*named, *more])}" if names else ""


def _package(name: str, old: str | None, new: str | None) -> str:
    if old is None or new is None:
        return f"{name} {'added' if old is None else 'removed'}"
    return f"{name} {old} → {new}"
