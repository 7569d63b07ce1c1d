"""Figures over time: what the axis of times shows."""

from atomic_lib.report.figures import trend_lines
from atomic_lib.results.history.figure_trends import FigurePoint, Trend


def test_one_run_is_shown_within_days_and_not_within_years() -> None:
    point = FigurePoint(1, "run", "2026-11-29T08:35:00Z", 5e6)
    trends = [Trend(name, "tree_bytes", "tree", "bytes", (point,), ()) for name in ("atomic", "atomic-min")]
    for axes in trend_lines._draw(trends, 8).axes:
        first, last = axes.get_xlim()
        assert last - first == 2, "days, as matplotlib counts"
