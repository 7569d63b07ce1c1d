"""Breaches of budgets as words: what is over which limit, and which package or unit caused it."""

from collections.abc import Sequence
from typing import cast

from atomic_lib.report.elements.blocks import Alert
from atomic_lib.report.elements.values import plural, quantity, signed
from atomic_lib.results.analysis.metrics import COUNTED, FOOTPRINT, Unit
from atomic_lib.results.build_result import Growth
from atomic_lib.results.study_result import Breach, StudyResult

_TITLES = {metric.name: metric.title for metric in (*FOOTPRINT, COUNTED)}
_ITEMS = {
    "forbidden_packages": "has the forbidden package",
    "set_uid_files": "has a file with privileges that its budget does not allow:",
    "listening_sockets": "listens on a socket that its budget does not allow:",
}


def breach_words(breach: Breach) -> str:
    """A breach as one line."""
    if breach.value is None or breach.limit is None:
        detail = f" ({breach.detail})" if breach.detail else ""
        return f"{breach.variant}: {_ITEMS[breach.budget]} {breach.item}{detail}"
    unit = cast(Unit, breach.unit)
    over = f"{quantity(breach.value, unit)}, {signed(breach.value - breach.limit, unit)} over its budget"
    named = f"grown since {breach.since}: {growth_words(breach.causes, unit)}"
    if not breach.since:
        named = "largest: " + ", ".join(f"{_part(one)} ({quantity(one.amount, unit)})" for one in breach.causes)
    causes = f"; {named}" if breach.causes else ""
    return f"{breach.variant}: {_TITLES[breach.budget]}: {over} of {quantity(breach.limit, unit)}{causes}"


def growth_words(causes: Sequence[Growth], unit: Unit) -> str:
    """Packages or units with what each contributes: ``docker 26.1 → 28.0 (+12.4 MB), jq 1.7 added (+0.3 MB)``.

    An amount of 0 is left out: what it contributes is not known.
    """
    return ", ".join(_named(one) + (f" ({signed(one.amount, unit)})" if one.amount else "") for one in causes)


def _part(one: Growth) -> str:
    """A package or a unit that is there."""
    return f"{one.name} of {one.package}" if one.package else f"{one.name} {one.after}".rstrip()


def _named(one: Growth) -> str:
    """A package or a unit that grew."""
    if one.package:
        return _part(one)
    if one.before and one.after:
        return f"{one.name} {one.before} → {one.after}" if one.before != one.after else one.name
    if one.after:
        return f"{one.name} {one.after} added"
    return f"{one.name} {one.before} removed" if one.before else one.name


def breach_alert(study: StudyResult) -> Alert | None:
    """What heads the page of a run that does not keep its budgets; None if it does."""
    if not study.breaches:
        return None
    return Alert(
        plural(len(study.breaches), "broken budget"),
        "\n".join(map(breach_words, study.breaches)),
        "change what grew, or the budget in params/budgets.yaml",
    )
