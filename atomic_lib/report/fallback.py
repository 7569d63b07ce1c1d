"""What stands in for a variant that failed, and what it costs.

A column of figures is always of one variant: those of a fallback stand beside the failed one's,
with its own name over them, and are never filled into the gaps of the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atomic_lib.report import methods
from atomic_lib.report.metrics import Metric, unclocked_metrics
from atomic_lib.report.model import StudyResult, VariantResult
from atomic_lib.report.show import Cell, Paragraph, Section, Table, delta, missing, number, quantity, signed

_TOLD = {
    "tree_bytes": "in the tree",
    "image_compressed_bytes": "in the compressed image",
    "package_count": "packages",
    "counted_busy_seconds": "at boot",
}
"""The figures that a sentence tells, by the first part of their names."""


@dataclass(frozen=True)
class Contingency:
    """A variant that failed, and the fallbacks that were run for it, one after another; the last may stand in."""

    failed: VariantResult
    fallback: str
    tried: tuple[VariantResult, ...]

    @property
    def stand_in(self) -> VariantResult | None:
        """The fallback that did not fail."""
        return next((result for result in self.tried if not has_failed(result)), None)


@dataclass(frozen=True)
class Price:
    """One figure of a failed variant and of its fallback. ``run``: where the failed one's is from, if not this run."""

    metric: Metric
    failed: float | None
    run: str
    fallback: float

    @property
    def cost(self) -> float | None:
        """What the fallback costs more."""
        return None if self.failed is None else self.fallback - self.failed


def has_failed(result: VariantResult) -> bool:
    """Whether a stage failed, or a proof of life in any boot."""
    return result.error is not None or any(not check.passed for boot in result.boots for check in boot.checks)


def fallbacks_to_run(fallbacks: Mapping[str, str], results: Sequence[VariantResult]) -> dict[str, str]:
    """The fallback of every failed variant, by that one's name, where it is none of ``results``."""
    there = {result.variant for result in results}
    wanted = {r.variant: fallbacks[r.variant] for r in results if r.variant in fallbacks and has_failed(r)}
    return {failed: fallback for failed, fallback in wanted.items() if fallback not in there}


def contingencies(study: StudyResult) -> tuple[Contingency, ...]:
    """Every variant that failed and has a fallback, in the study's order."""
    found = (contingency(study, result) for result in study.variants)
    return tuple(one for one in found if one)


def contingency(study: StudyResult, result: VariantResult) -> Contingency | None:
    """What became of a variant's fallback; None for one that did not fail, or that has none."""
    if result.variant not in study.fallbacks or not has_failed(result):
        return None
    name, tried = result.variant, list[VariantResult]()
    # a way is no longer than there are fallbacks, whatever a file says
    for _ in study.fallbacks:
        name = study.fallbacks.get(name, "")
        run = study.variant(name)
        if run is None:
            break
        tried.append(run)
        if not has_failed(run):
            break
    return Contingency(result, study.fallbacks[result.variant], tuple(tried))


def stands_in_for(study: StudyResult, result: VariantResult) -> tuple[str, ...]:
    """The failed variants in whose place ``result`` stands."""
    return tuple(one.failed.variant for one in contingencies(study) if one.stand_in is result)


def shown_for(study: StudyResult, name: str) -> tuple[str, VariantResult | None]:
    """The result to count with for a variant, the fallback's where that stands in, and its name, marked as such."""
    result = study.variant(name)
    found = contingency(study, result) if result else None
    if found and found.stand_in:
        return in_place(found.stand_in.variant, name), found.stand_in
    return name, result


def in_place(fallback: str, *failed: str) -> str:
    """A fallback's name, marked as what it stands for."""
    return f"{fallback}, in place of {' and '.join(failed)}" if failed else fallback


def prices(study: StudyResult, found: Contingency) -> tuple[Price, ...]:
    """Every figure of the fallback that stands in, against the failed variant's own, or what it had in an earlier run.

    No wall-clock times: those of another session, or of a boot that failed, are no samples.
    """
    if found.stand_in is None:
        return ()
    before = next((one for one in study.earlier if one.variant == found.failed.variant), None)
    made = []
    for metric in unclocked_metrics([found.failed, found.stand_in]):
        own, fallback = metric.value(found.failed), metric.value(found.stand_in)
        earlier = before.figures.get(metric.name) if before and own is None else None
        if fallback is not None and metric.name != "image_virtual_bytes":  # set by the recipe
            run = before.run if before and earlier is not None else ""
            made.append(Price(metric, earlier if own is None else own, run, fallback))
    return tuple(made)


def section(study: StudyResult) -> Section:
    """Per failed variant with a fallback what stands in, and its price as a table; nothing where there is none."""
    parts: list[Paragraph | Table] = []
    for found in contingencies(study):
        parts.append(Paragraph(f"{found.failed.variant} {failure_words(found.failed)}. {words(study, found)}"))
        if found.stand_in:
            parts.append(_table(study, found, found.stand_in))
    return Section("What the fallback costs", "", tuple(parts))


def failure_words(result: VariantResult) -> str:
    """Where a variant failed, and the first line of why."""
    if result.error is None:
        return "failed its proof of life"
    lines = result.error.message.strip().splitlines()
    message = lines[0].removeprefix(f"{result.variant}: ") if lines else ""
    return f"failed at the stage {result.error.stage}" + (f" ({message.rstrip('.')})" if message else "")


def words(study: StudyResult, found: Contingency) -> str:
    """Which fallback stands in and what it costs, or why none does."""
    failed = [result.variant for result in found.tried if has_failed(result)]
    if found.stand_in is None:
        if not failed:
            return f"Its fallback {found.fallback} was not run: nothing stands in."
        return f"Its fallback {' and then '.join(failed)} failed as well: nothing stands in."
    before = f" {' and '.join(failed)} failed as well;" if failed else ""
    costs = _costs(prices(study, found), found)
    return f"Its fallback{before} {found.stand_in.variant} stands in: {costs}.{_proof(found)}"


def words_for(study: StudyResult, result: VariantResult) -> str:
    """What a sentence about ``result`` has to add: what stands in for it, or what it stands in for; else nothing."""
    found = contingency(study, result)
    if found:
        return words(study, found)
    failed = stands_in_for(study, result)
    return f"It stands in for {' and '.join(failed)}." if failed else ""


def _proof(found: Contingency) -> str:
    """A warning where the failed variant was to be booted, and what stands in for it was not."""
    asked = found.failed.parameters.get("last_stage", "boot") == "boot"
    booted = found.stand_in and (found.stand_in.boots or found.stand_in.counted_boots)
    return " It was not booted: that it works is not shown." if asked and not booted else ""


def _costs(priced: Sequence[Price], found: Contingency) -> str:
    known = {price.metric.name.partition(":")[0]: price for price in priced if price.cost is not None}
    told = [f"{signed(known[name].cost or 0, known[name].metric.unit)} {title}" for name, title in _TOLD.items()
            if name in known]  # fmt: skip
    stays = [_stays(price) for price in priced if price.metric.name.startswith("forbidden:") and price.fallback]
    if not told:
        size = next((quantity(p.fallback, "bytes") for p in priced if p.metric.name == "tree_bytes"), "")
        have = [f"its tree holds {size}" if size else "", *stays]
        unknown = f"what it costs is not known, as no run has figures of {found.failed.variant}"
        return "; ".join(text for text in (*have, unknown) if text)
    sources = dict.fromkeys(f"run {price.run}" if price.run else "this run" for price in known.values())
    against = f"against {found.failed.variant}'s own figures of {' and of '.join(sources)}"
    return "; ".join([f"{', '.join(told)} ({against})", *stays])


def _stays(price: Price) -> str:
    kind = price.metric.name.partition(":")[2]
    return f"{kind} {'stays' if price.failed == 0 else 'is in it'}"


def _table(study: StudyResult, found: Contingency, stand_in: VariantResult) -> Table:
    priced = prices(study, found)
    marked = in_place(stand_in.variant, found.failed.variant)
    header = ("", f"{found.failed.variant} (failed)", marked, "what the fallback costs")
    rows = tuple(
        (Cell(p.metric.title), _failed_cell(p, found.failed), number(p.fallback, p.metric.unit), _cost(p))
        for p in priced
    )
    records = tuple(
        {"variant": found.failed.variant, "fallback": stand_in.variant, "figure": p.metric.name,
         "unit": p.metric.unit, "run": p.run or study.run, "failed_value": p.failed, "fallback_value": p.fallback,
         "cost": p.cost}
        for p in priced
    )  # fmt: skip
    runs = dict.fromkeys(price.run for price in priced if price.run)
    notes = tuple(f"The earlier run of {found.failed.variant} is {run}, its newest that succeeded." for run in runs)
    how = (
        f"{methods.TREE} Counted boots are compared where both were counted in the same way. Wall-clock times are not: "
        "boots that failed, or of another session, are no samples."
    )
    return Table(f"What {marked}, costs", header, rows, records, notes, how, "fallbacks.csv", fixed=True)


def _failed_cell(price: Price, failed: VariantResult) -> Cell:
    if price.failed is None:
        return missing(f"{price.metric.reason(failed)}; no earlier run")
    return number(price.failed, price.metric.unit, note="earlier run" if price.run else "this run")


def _cost(price: Price) -> Cell:
    if price.failed is None or price.cost is None:
        return missing("not known")
    return Cell(delta(price.fallback, price.failed, price.metric.unit), kind="number", value=price.cost)
