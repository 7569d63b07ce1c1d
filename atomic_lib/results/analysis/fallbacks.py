"""The fallback that stands in for a failed variant, and the cost of each of its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atomic_lib.results.analysis.metrics import Metric, unclocked_metrics
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult


@dataclass(frozen=True)
class FallbackOutcome:
    """A variant that failed, and the fallbacks that were run for it, one after another; the last may stand in."""

    failed: VariantResult
    fallback: str
    tried: tuple[VariantResult, ...]

    @property
    def stand_in(self) -> VariantResult | None:
        """The fallback that did not fail, if there is one."""
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
        """How much more the fallback costs."""
        return None if self.failed is None else self.fallback - self.failed


def has_failed(result: VariantResult) -> bool:
    """Whether a stage failed, or a proof of life in any boot."""
    return result.error is not None or any(not check.passed for boot in result.boots for check in boot.checks)


def fallbacks_to_run(fallbacks: Mapping[str, str], results: Sequence[VariantResult]) -> dict[str, str]:
    """The fallback of every failed variant, by that one's name, where it is none of ``results``."""
    there = {result.variant for result in results}
    wanted = {r.variant: fallbacks[r.variant] for r in results if r.variant in fallbacks and has_failed(r)}
    return {failed: fallback for failed, fallback in wanted.items() if fallback not in there}


def fallback_outcomes(study: StudyResult) -> tuple[FallbackOutcome, ...]:
    """Every variant that failed and has a fallback, in the study's order."""
    found = (fallback_outcome(study, result) for result in study.variants)
    return tuple(one for one in found if one)


def fallback_outcome(study: StudyResult, result: VariantResult) -> FallbackOutcome | None:
    """The outcome of a variant's fallback; None for a variant that did not fail, or that has no fallback."""
    if result.variant not in study.fallbacks or not has_failed(result):
        return None
    name, tried = result.variant, list[VariantResult]()
    # a chain is no longer than the number of fallbacks, whatever a file says
    for _ in study.fallbacks:
        name = study.fallbacks.get(name, "")
        run = study.variant(name)
        if run is None:
            break
        tried.append(run)
        if not has_failed(run):
            break
    return FallbackOutcome(result, study.fallbacks[result.variant], tuple(tried))


def stands_in_for(study: StudyResult, result: VariantResult) -> tuple[str, ...]:
    """The failed variants that ``result`` stands in for."""
    return tuple(one.failed.variant for one in fallback_outcomes(study) if one.stand_in is result)


def shown_for(study: StudyResult, name: str) -> tuple[str, VariantResult | None]:
    """The name and result to show for a variant: the fallback's, marked as such, where that stands in."""
    result = study.variant(name)
    found = fallback_outcome(study, result) if result else None
    if found and found.stand_in:
        return in_place(found.stand_in.variant, name), found.stand_in
    return name, result


def in_place(fallback: str, *failed: str) -> str:
    """A fallback's name, marked with the variants it stands in for."""
    return f"{fallback}, in place of {' and '.join(failed)}" if failed else fallback


def prices(study: StudyResult, found: FallbackOutcome) -> tuple[Price, ...]:
    """Every figure of the fallback that stands in, against the failed variant's own, or what it had in an earlier run.

    Wall-clock times are left out: those of another session or of a failed boot are not valid samples.
    """
    if found.stand_in is None:
        return ()
    before = next((one for one in study.previous if one.variant == found.failed.variant), None)
    made = []
    for metric in unclocked_metrics([found.failed, found.stand_in]):
        own, fallback = metric.value(found.failed), metric.value(found.stand_in)
        earlier = before.figures.get(metric.name) if before and own is None else None
        if fallback is not None and metric.name != "image_virtual_bytes":  # set by the recipe
            run = before.run if before and earlier is not None else ""
            made.append(Price(metric, earlier if own is None else own, run, fallback))
    return tuple(made)
