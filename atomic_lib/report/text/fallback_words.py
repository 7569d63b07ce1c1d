"""Sentences about a variant that failed, and about its fallback."""

from collections.abc import Sequence

from atomic_lib.report.elements.values import quantity, signed
from atomic_lib.results.analysis.fallbacks import (
    FallbackOutcome,
    Price,
    fallback_outcome,
    has_failed,
    prices,
    stands_in_for,
)
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_WHERE = {
    "tree_bytes": "in the tree",
    "image_compressed_bytes": "in the compressed image",
    "package_count": "packages",
    "counted_busy_seconds": "at boot",
}
"""The figures that a sentence gives, by the first part of their names."""


def failure_words(result: VariantResult) -> str:
    """Where a variant failed, and the first line of its error."""
    if result.error is None:
        return "failed its proof of life"
    lines = result.error.message.strip().splitlines()
    message = lines[0].removeprefix(f"{result.variant}: ") if lines else ""
    return f"failed at the stage {result.error.stage}" + (f" ({message.rstrip('.')})" if message else "")


def words(study: StudyResult, found: FallbackOutcome) -> str:
    """Which fallback stands in and what it costs, or why none does."""
    failed = [result.variant for result in found.tried if has_failed(result)]
    if found.stand_in is None:
        if not failed:
            return f"Its fallback {found.fallback} was not run: no fallback stands in."
        return f"Its fallback {' and then '.join(failed)} also failed: no fallback stands in."
    before = f" {' and '.join(failed)} also failed;" if failed else ""
    costs = _costs(prices(study, found), found)
    return f"Its fallback{before} {found.stand_in.variant} stands in: {costs}.{_proof(found)}"


def words_for(study: StudyResult, result: VariantResult) -> str:
    """What stands in for ``result``, or what it stands in for; else empty."""
    found = fallback_outcome(study, result)
    if found:
        return words(study, found)
    failed = stands_in_for(study, result)
    return f"It stands in for {' and '.join(failed)}." if failed else ""


def _proof(found: FallbackOutcome) -> str:
    """A warning where the failed variant was to be booted, and what stands in for it was not."""
    to_boot = found.failed.parameters.get("last_stage", "boot") == "boot"
    booted = found.stand_in and (found.stand_in.boots or found.stand_in.counted_boots)
    return " It was not booted, so nothing shows that it works." if to_boot and not booted else ""


def _costs(priced: Sequence[Price], found: FallbackOutcome) -> str:
    known = {price.metric.name.partition(":")[0]: price for price in priced if price.cost is not None}
    costs = [f"{signed(known[name].cost or 0, known[name].metric.unit)} {title}" for name, title in _WHERE.items()
            if name in known]  # fmt: skip
    stays = [_stays(price) for price in priced if price.metric.name.startswith("forbidden:") and price.fallback]
    if not costs:
        size = next((quantity(p.fallback, "bytes") for p in priced if p.metric.name == "tree_bytes"), "")
        have = [f"its tree holds {size}" if size else "", *stays]
        unknown = f"its cost is not known: no run has figures of {found.failed.variant}"
        return "; ".join(text for text in (*have, unknown) if text)
    sources = dict.fromkeys(f"run {price.run}" if price.run else "this run" for price in known.values())
    against = f"against {found.failed.variant}'s own figures of {' and of '.join(sources)}"
    return "; ".join([f"{', '.join(costs)} ({against})", *stays])


def _stays(price: Price) -> str:
    kind = price.metric.name.partition(":")[2]
    return f"{kind} {'remains' if price.failed == 0 else 'is present'}"
