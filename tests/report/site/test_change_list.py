"""The list of changes on a page: each with the day of its run, and the time where a day has several runs."""

import re

from atomic_lib.report.site.change_list import change_list
from atomic_lib.results.history.figure_trends import FigureChange, FigurePoint, Trend


def point(build: int, created: str) -> FigurePoint:
    return FigurePoint(build, f"run-{build}", created, float(build))


def test_runs_of_one_day_are_told_apart_by_their_time() -> None:
    times = ("2026-11-02T03:00:00Z", "2026-11-03T03:00:00Z", "2026-11-03T05:30:00Z")
    points = [point(build, created) for build, created in enumerate(times)]
    changes = tuple(FigureChange(points[0], after, 1.0, (), ()) for after in points)
    trends = [Trend(variant, "package_count", "packages", "count", tuple(points), changes) for variant in ("a", "b")]
    shown = change_list(trends, "index.html", 10)._repr_html_()
    assert re.findall(r">([^<]*2026[^<]*)</a>", shown) == [
        "3 November 2026, 05:30", "3 November 2026, 03:00", "2 November 2026",
    ]  # fmt: skip
