"""From the baseline to the last step of a study, one decision at a time, in bytes and in counted boot cost."""

from dataclasses import dataclass

from atomic_lib.results.analysis import fallbacks
from atomic_lib.results.analysis.metrics import Criterion, counted_busy_seconds
from atomic_lib.results.study_result import StudyResult

TREE = Criterion("tree", "bytes", lambda result: result.tree_bytes)
IMAGE = Criterion("compressed image", "bytes", lambda result: result.image_compressed_bytes)
BOOT = Criterion("boot (counted)", "counted", counted_busy_seconds)


@dataclass(frozen=True)
class DecisionCost:
    """One row of a waterfall: the figure ``after`` a decision and the ``change`` by it.

    Where a variant has no figure both are None, and the next change includes this one. Where it
    failed and its fallback stands in, the step leads there: ``variant`` says so, and ``failed``.
    """

    decision: str
    variant: str
    after: float | None
    change: float | None
    failed: bool = False

    @property
    def label(self) -> str:
        """The decision, marked where its variant failed."""
        return f"{self.decision} (failed: fallback)" if self.failed else self.decision


def decision_costs(study: StudyResult, criterion: Criterion) -> tuple[DecisionCost, ...]:
    """The baseline, then every step; the changes add up to the difference of the first and the last figure."""
    base = study.variant(study.baseline)
    known = criterion.value(base) if base else None
    rows = [DecisionCost("baseline", study.baseline, known, None)]
    for step in study.steps:
        name, result = fallbacks.shown_for(study, step.variant)
        after = criterion.value(result) if result else None
        change = None if after is None or known is None else after - known
        known = known if after is None else after
        rows.append(DecisionCost(step.decision, name, after, change, failed=name != step.variant))
    return tuple(rows)


def last_step(study: StudyResult) -> str:
    """The variant that the last step leads to, or the fallback in its place."""
    return fallbacks.shown_for(study, study.steps[-1].variant)[0]


def criteria_of(study: StudyResult) -> tuple[Criterion, ...]:
    """The tree; then the image and the counted boot, each only where every step that did not fail has its figure."""
    stepped = (fallbacks.shown_for(study, step.variant)[1] for step in study.steps)
    way = [study.variant(study.baseline), *stepped]
    made = [result for result in way if result and not result.error]
    known = (m for m in (IMAGE, BOOT) if made and all(m.value(result) is not None for result in made))
    return (TREE, *known)
