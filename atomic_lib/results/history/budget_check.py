"""Whether a run keeps its budgets, and which package or unit broke one."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from atomic_lib.guest.counted.counted_difference import BUSY_LIMIT
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.params.budgets import Budget
from atomic_lib.results.analysis.metrics import COUNTED, FOOTPRINT, Metric, counted_busy_seconds, unclocked_metrics
from atomic_lib.results.build_result import Growth
from atomic_lib.results.history.package_growth import package_growth, recorded_shares, shares_of
from atomic_lib.results.study_result import Breach
from atomic_lib.results.variant_result import VariantResult

_MOST_CAUSES = 5
"""So many packages or units are named; the rest is smaller."""


def check_budgets(
    history: sqlite3.Connection, budgets: Mapping[str, Budget], results: Sequence[VariantResult]
) -> tuple[Breach, ...]:
    """The breaches of all variants of a run that is not in the history yet."""
    return tuple(
        breach
        for result in results
        if result.variant in budgets
        for breach in _breaches(history, budgets[result.variant], result)
    )


def _breaches(history: sqlite3.Connection, budget: Budget, result: VariantResult) -> Iterator[Breach]:
    for metric in FOOTPRINT:
        value, limit = metric.value(result), getattr(budget, metric.name, None)
        if value is not None and limit is not None and value > limit:
            yield _size_breach(history, result, metric, value, limit)
    seconds, most = counted_busy_seconds(result), budget.counted_busy_seconds
    if seconds is not None and most is not None and seconds > most * (1 + BUSY_LIMIT):
        yield _counted_breach(history, result, seconds, most)
    for package in result.packages:
        if _fits(package.name, budget.forbidden_packages):
            chain = " > ".join(link.package for link in package.why)
            yield Breach(variant=result.variant, budget="forbidden_packages", item=package.name, detail=chain)
    if budget.set_uid_files is not None:
        for guard in result.guards or ():
            for one in guard.findings if guard.guard == "set-uid" else ():
                if not _fits(one.found, budget.set_uid_files):
                    detail = f"{one.detail}, of {one.package or 'no package'}"
                    yield Breach(variant=result.variant, budget="set_uid_files", item=one.found, detail=detail)
    if budget.listening_sockets is not None:
        sockets = {f"{one.protocol} {one.address} {one.program}".strip(): one
                   for boot in result.boots for one in boot.listeners or ()}  # fmt: skip
        for text, listener in sockets.items():
            if not _fits(text, budget.listening_sockets):
                detail = _unit_of(listener, result)
                yield Breach(variant=result.variant, budget="listening_sockets", item=text, detail=detail)


def _size_breach(
    history: sqlite3.Connection, result: VariantResult, metric: Metric, value: float, limit: float
) -> Breach:
    figure = metric.name
    after = shares_of(result, figure)
    within = _newest_within(history, result.variant, figure, limit)
    if within:
        build, since, before_value = within
        causes = package_growth(recorded_shares(history, build, figure), after, value - before_value)
    else:
        since, causes = "", package_growth({}, after, value)
    return Breach(variant=result.variant, budget=figure, unit=metric.unit, value=value, limit=limit,
                  causes=_upward(causes), since=since)  # fmt: skip


def _counted_breach(history: sqlite3.Connection, result: VariantResult, value: float, limit: float) -> Breach:
    way = next(metric.name for metric in unclocked_metrics([result]) if metric.unit == "counted")
    within = _newest_within(history, result.variant, way, limit * (1 + BUSY_LIMIT))
    before: dict[str, float] = {}
    if within:
        rows = history.execute("SELECT unit, counted_seconds FROM counted_units WHERE build = ?", within[:1])
        before = dict(rows)
    grown = [
        Growth(name=unit.unit, package=unit.package or "", amount=unit.cpu_seconds - before.get(unit.unit, 0.0))
        for unit in result.counted_boots[0].units
        if unit.cpu_seconds is not None
    ]
    causes = tuple(sorted(grown, key=lambda one: (-one.amount, one.name)))
    return Breach(variant=result.variant, budget=COUNTED.name, unit="counted", value=value, limit=limit,
                  causes=_upward(causes), since=within[1] if within else "")  # fmt: skip


def _newest_within(
    history: sqlite3.Connection, variant: str, figure: str, limit: float
) -> tuple[int, str, float] | None:
    """The newest build of the variant that kept the budget: its number, run and value."""
    row: tuple[int, str, float] | None = history.execute(
        "SELECT build, run, value FROM figures JOIN builds USING (build) JOIN runs USING (run)"
        " WHERE variant = ? AND figure = ? AND value <= ? ORDER BY created DESC, run DESC LIMIT 1",
        (variant, figure, limit),
    ).fetchone()
    return row


def _upward(causes: Sequence[Growth]) -> tuple[Growth, ...]:
    return tuple(one for one in causes if one.amount > 0)[:_MOST_CAUSES]


def _fits(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _unit_of(listener: Listener, result: VariantResult) -> str:
    """The unit that runs a program, and its package. The kernel cuts the name of a program to 15 characters."""
    for boot in result.boots:
        for unit in boot.units:
            if listener.program and unit.unit.startswith(listener.program):
                return f"{unit.unit}, of {unit.package or 'no package'}"
    return ""
