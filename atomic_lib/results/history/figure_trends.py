"""Figures over time: the builds of each variant of a study, where a figure changed, and what changed then."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.counted.counted_difference import UNIT_LIMIT_SECONDS
from atomic_lib.measure.build_changes import Change
from atomic_lib.params.schema import closest
from atomic_lib.results.analysis.metrics import COUNTED, FOOTPRINT, Unit
from atomic_lib.results.build_result import Growth
from atomic_lib.results.history.change_points import Noise, change_points
from atomic_lib.results.history.package_growth import OUTSIDE_PACKAGES, package_growth, recorded_shares
from atomic_lib.results.history.previous_builds import NOT_BUILT_IN

_EXACT = frozenset(metric.name for metric in FOOTPRINT)


@dataclass(frozen=True)
class FigurePoint:
    """A figure of one build; ``created``: when its run was made (UTC, ISO 8601)."""

    build: int
    run: str
    created: str
    value: float


@dataclass(frozen=True)
class FigureChange:
    """A new level of a figure: by ``amount``, from the build ``before`` to the build ``after``.

    ``causes``: packages or units, the largest part first; ``inputs``: parameters, and versions of the workbook and its
    tools, that changed between the two builds.
    """

    before: FigurePoint
    after: FigurePoint
    amount: float
    causes: tuple[Growth, ...]
    inputs: tuple[Change, ...]


@dataclass(frozen=True)
class Trend:
    """A figure of a variant over time, oldest first, with its changes."""

    variant: str
    figure: str
    title: str
    unit: Unit
    points: tuple[FigurePoint, ...]
    changes: tuple[FigureChange, ...]


def read_trends(history: sqlite3.Connection, study: str, figures: Sequence[str]) -> tuple[Trend, ...]:
    """The trends of each of the ``figures`` for each variant, from the runs of the whole study.

    A figure is named as in the history, or without what follows its first colon. Builds that failed are left out.

    Raises WorkbookError for one that no build in the history has.
    """
    _require_figures(history, figures)
    rows = history.execute(
        "SELECT variant, figure, figures.title, unit, build, run, created, value FROM figures JOIN builds USING (build)"
        " JOIN runs USING (run) WHERE study = ? AND whole AND passed ORDER BY created, run",
        (study,),
    )
    series: dict[tuple[str, str, str, Unit], list[FigurePoint]] = {}
    for variant, figure, title, unit, *point in rows:
        series.setdefault((variant, figure, title, unit), []).append(FigurePoint(*point))
    return tuple(
        _trend(history, key, points)
        for wanted in figures
        for key, points in series.items()
        if wanted in (key[1], key[1].partition(":")[0])
    )


def _require_figures(history: sqlite3.Connection, figures: Iterable[str]) -> None:
    """Raise WorkbookError for an unknown figure; those of a variant that was not built or booted yet are known."""
    named = [name for (name,) in history.execute("SELECT DISTINCT figure FROM figures")]
    known = sorted({*_EXACT, COUNTED.name, *named, *(name.partition(":")[0] for name in named)})
    for figure in figures:
        if figure not in known:
            hint = f"figures in the history: {', '.join(known)}"
            raise WorkbookError(f"no build in the history has a figure {figure!r}{closest(figure, known)}", hint=hint)


def _trend(history: sqlite3.Connection, key: tuple[str, str, str, Unit], points: Sequence[FigurePoint]) -> Trend:
    variant, figure, title, unit = key
    noise: Noise = "exact" if figure in _EXACT else "counted" if unit == "counted" else "clock"
    places = change_points([point.value for point in points], noise)
    changes = []
    for start, place, end in zip((0, *places), places, (*places[1:], len(points)), strict=False):
        sides = points[start:place], points[place:end]
        changes.append(_change(history, figure, noise, *sides))
    return Trend(variant, figure, title, unit, tuple(points), tuple(changes))


def _change(
    history: sqlite3.Connection, figure: str, noise: Noise, left: Sequence[FigurePoint], right: Sequence[FigurePoint]
) -> FigureChange:
    """The change between two levels. That of a size is between two builds; that of a noisy figure, between medians."""
    before, after = left[-1], right[0]
    causes: tuple[Growth, ...]
    if noise == "exact":
        amount = after.value - before.value
        causes = package_growth(
            recorded_shares(history, before.build, figure), recorded_shares(history, after.build, figure), amount
        )
    else:
        amount = median(point.value for point in right) - median(point.value for point in left)
        causes = _unit_growth(history, left, right, amount) if noise == "counted" else ()
        causes = causes or _changed_packages(history, before, after)
    return FigureChange(before, after, amount, causes, _changed_inputs(history, before.build, after.build))


def _unit_growth(
    history: sqlite3.Connection, left: Sequence[FigurePoint], right: Sequence[FigurePoint], amount: float
) -> tuple[Growth, ...]:
    """How much each unit contributes to a change of counted boots: the medians of both levels, largest part first.

    Units that changed by no more than chance explains are left out.
    """
    old, packages = _unit_medians(history, left)
    new, newer_packages = _unit_medians(history, right)
    grown = [
        Growth(name=name, package={**packages, **newer_packages}[name], amount=new.get(name, 0.0) - old.get(name, 0.0))
        for name in {*old, *new}
    ]
    sign = 1 if amount >= 0 else -1
    return tuple(
        sorted(
            (one for one in grown if abs(one.amount) > UNIT_LIMIT_SECONDS),
            key=lambda one: (-sign * one.amount, one.name),
        )
    )


def _unit_medians(
    history: sqlite3.Connection, points: Sequence[FigurePoint]
) -> tuple[dict[str, float], Mapping[str, str]]:
    seconds: dict[str, list[float]] = {}
    packages: dict[str, str] = {}
    for point in points:
        for name, package, value in history.execute(
            "SELECT unit, package, counted_seconds FROM counted_units WHERE build = ?", (point.build,)
        ):
            seconds.setdefault(name, []).append(value)
            packages[name] = package or ""
    # a unit that is missing in most builds costs nothing in the median
    medians = {name: median([*values, *[0.0] * (len(points) - len(values))]) for name, values in seconds.items()}
    return medians, packages


def _changed_packages(history: sqlite3.Connection, before: FigurePoint, after: FigurePoint) -> tuple[Growth, ...]:
    """The packages that changed between two builds; how much each contributes to the figure is not known."""
    old, new = (recorded_shares(history, point.build, "tree_bytes") for point in (before, after))
    grown = package_growth(old, new, 0.0)
    changed = (one for one in grown if one.name != OUTSIDE_PACKAGES and one.before != one.after)
    return tuple(one.model_copy(update={"amount": 0.0}) for one in changed)


def _changed_inputs(history: sqlite3.Connection, before: int, after: int) -> tuple[Change, ...]:
    """The parameters that change the image, and the versions of the workbook and its tools, that differ."""
    queries = (
        "SELECT parameter, value FROM parameters WHERE build = ?",
        "SELECT program, version FROM versions WHERE build = ?",
    )
    found = []
    for query in queries:
        old, new = (dict(history.execute(query, (build,))) for build in (before, after))
        found += [
            Change(name=name, before=old.get(name, ""), after=new.get(name, ""))
            for name in sorted({*old, *new} - NOT_BUILT_IN)
            if old.get(name, "") != new.get(name, "")
        ]
    return tuple(found)


def level_medians(trend: Trend) -> tuple[tuple[int, int, float], ...]:
    """The levels of a trend: the place of the first point, the place after the last one, and the median."""
    order = {point.build: place for place, point in enumerate(trend.points)}
    places = (0, *(order[change.after.build] for change in trend.changes), len(trend.points))
    return tuple((start, end, median(p.value for p in trend.points[start:end])) for start, end in pairwise(places))
