"""All variants of one run: the typed content of ``results.json``."""

from typing import Literal

from pydantic import Field, JsonValue, model_validator

from atomic_lib.base.model import Model
from atomic_lib.params.study_file import Step
from atomic_lib.results.build_result import Growth
from atomic_lib.results.variant_result import VariantResult


class Factor(Model):
    """One factor of a study; the first of ``levels`` is that of the base cell."""

    name: str
    levels: tuple[str, ...]


class FactorCell(Model):
    """One cell of a factor study: the variant that has these levels, by factor."""

    variant: str
    levels: dict[str, str]


class PreviousFigures(Model):
    """The figures of a failed variant when it last succeeded, by their names in the history, and that run."""

    variant: str
    run: str
    figures: dict[str, float]


class Breach(Model):
    """A budget that a variant does not keep; ``budget`` is its key in ``params/budgets.yaml``.

    Of a figure: its ``value`` and ``limit``, in ``unit``, and the ``causes``, the packages or units that grew most
    since the run ``since``, which kept the budget; the largest ones if there is no such run. Otherwise: the ``item``
    that is forbidden or not allowed, with what brought it in as ``detail``.
    """

    variant: str
    budget: str
    unit: str = ""
    value: float | None = None
    limit: float | None = None
    causes: tuple[Growth, ...] = ()
    since: str = ""
    item: str = ""
    detail: str = ""


class StudyResult(Model):
    """All variants of one run. ``created``: UTC, ISO 8601.

    ``steps``: the decisions of the waterfall, from the baseline on. ``cells``: which variants are
    cells of the factor study; empty if it is none. ``fallbacks``: which variant stands in for
    one that fails. ``previous``: figures of variants that failed in this run. ``breaches``: of budgets.
    ``failed_updates``: the titles of the rounds of updates that failed.
    """

    schema_version: Literal[3] = 3
    study: str
    title: str
    baseline: str
    run: str
    created: str
    variants: tuple[VariantResult, ...]
    steps: tuple[Step, ...] = ()
    factors: tuple[Factor, ...] = ()
    cells: tuple[FactorCell, ...] = ()
    fallbacks: dict[str, str] = Field(default_factory=dict)
    previous: tuple[PreviousFigures, ...] = ()
    breaches: tuple[Breach, ...] = ()
    failed_updates: tuple[str, ...] = ()
    provenance: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "StudyResult":
        names = [result.variant for result in self.variants]
        if len(set(names)) != len(names):
            raise ValueError(f"duplicate variant: {', '.join(names)}")
        return self

    def variant(self, name: str) -> VariantResult | None:
        """The result of one variant, if the run has it."""
        return next((result for result in self.variants if result.variant == name), None)

    def others(self) -> tuple[VariantResult, ...]:
        """All variants but the baseline."""
        return tuple(result for result in self.variants if result.variant != self.baseline)
