"""Changes over time as a table, a picture and words, and the notebook that shows them."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.base import paths
from atomic_lib.measure.build_changes import Change
from atomic_lib.report.figures import trend_lines
from atomic_lib.report.tables import trend_tables
from atomic_lib.report.tables.trend_tables import level_change_words, trend_causes
from atomic_lib.results.analysis.metrics import Unit
from atomic_lib.results.build_result import Growth
from atomic_lib.results.history.database import open_history
from atomic_lib.results.history.figure_trends import FigureChange, FigurePoint, Trend
from tests.results.history.test_change_points import record_series

NBSP = "\N{NO-BREAK SPACE}"
POINTS = tuple(FigurePoint(day, f"run-{day}", f"2026-11-{day:02}T03:00:00+00:00", 5e8 + 12.4e6 * (day > 2))
               for day in range(1, 5))  # fmt: skip
DOCKER = Growth(name="docker", before="26.1", after="28.0", amount=12.4e6)


def trend(*causes: Growth, inputs: tuple[Change, ...] = (), unit: Unit = "bytes") -> Trend:
    change = FigureChange(POINTS[1], POINTS[2], 12.4e6, causes, inputs)
    return Trend("atomic-min", "tree_bytes", "tree", unit, POINTS, (change,))


def words(found: Trend) -> str:
    return trend_causes(found.changes[0], found).replace(NBSP, " ")


def test_a_change_is_said_in_one_line() -> None:
    found = trend(DOCKER)
    line = level_change_words(found.changes[0], found).replace(NBSP, " ")
    assert line == "+12.4 MB on 3 November 2026: docker 26.1 → 28.0 (+12.4 MB)"


def test_what_went_the_other_way_and_what_is_small_is_counted_not_named() -> None:
    small = [Growth(name=f"small{number}", after="1", amount=1000) for number in range(5)]
    assert words(trend(DOCKER, *small, Growth(name="jq", before="1", amount=-5000))).endswith("(+1.0 kB), and 3 more")


def test_parameters_and_versions_are_named_and_nothing_is_said_to_be_nothing() -> None:
    inputs = (
        Change(name="git_revision", before="a" * 40, after="b" * 40),
        Change(name="parts", before="", after="docs"),
    )
    assert words(trend(inputs=inputs)) == f"git_revision {'a' * 10} → {'b' * 10}, parts none → docs"
    assert words(trend()) == "neither packages nor parameters nor the workbook changed"


def test_a_part_of_unknown_size_is_named_without_one() -> None:
    assert words(trend(DOCKER.model_copy(update={"amount": 0.0}))) == "docker 26.1 → 28.0"


def test_the_table_has_the_newest_change_first_and_the_picture_says_all() -> None:
    later = FigureChange(POINTS[2], POINTS[3], -1e6, (Growth(name="jq", before="1.7", amount=-1e6),), ())
    both = Trend("atomic-min", "tree_bytes", "tree", "bytes", POINTS, (*trend(DOCKER).changes, later))
    table = trend_tables.changes([both])
    assert [row[0].text for row in table.rows] == ["4 November 2026", "3 November 2026"]
    (picture,) = trend_lines.pictures([both]).parts
    assert "docker 26.1 → 28.0" in repr(picture)
    assert "in 4 runs" in repr(picture)
    assert "<svg" in picture._repr_html_()


def test_without_runs_the_table_and_the_picture_say_so() -> None:
    assert "No figure has changed its level." in trend_tables.changes([])._repr_html_()
    assert "no run of the whole study" in repr(trend_lines.pictures([]).parts[0])


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, sqlite3.Connection]]:
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    with open_history(tmp_path / "history.sqlite") as history:
        yield tmp_path, history


def test_the_notebook_names_a_planted_step(build: tuple[Path, sqlite3.Connection], checkout: Path) -> None:
    planted = record_series(build[1], build[0] / "runs", 1, step=0.01)
    notebook = json.loads((checkout / "notebooks/trends.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for source in cells[:2]:
        exec(source, names)
    shown = [eval(source, names)._repr_html_() for source in cells[2:]]
    assert f"{planted} 1." in shown[0] or f"{planted} 2.0" in shown[0]
    assert f"{planted}.service" in shown[0]
    assert shown[1].count("<figure") == 4
