"""The section about faults, from a small matrix."""

import csv
import json
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.faults.catalogue import FAULTS
from atomic_lib.guest.faults.documented import AGENT
from atomic_lib.guest.faults.matrix import Matrix, MatrixCell, documented_matrix, matrix_of
from atomic_lib.report.tables.conformance_tables import conformance, conformance_table, counts_table
from atomic_lib.results.conformance_files import csv_text, read_matrix
from tests.report.factory import plain

MATRIX = Matrix(
    (("no key", "the service has no key"), ("gzip", "user-data is <compressed>")),
    ("mine", "other"),
    (
        MatrixCell("no key", "mine", "survived", "", True, 5, 0.42),
        MatrixCell("gzip", "mine", "lost login", "no key was installed", True, 1, 9.0),
        MatrixCell("no key", "other", "unknown", "", False),
    ),
    (("mine", "atomic-mine"),),
    (("third", "nothing <was> composed"),),
)


def test_a_cell_says_what_happened_why_and_what_it_took() -> None:
    rows = conformance_table(MATRIX).rows
    assert [[plain(cell.text) for cell in row] for row in rows] == [
        ["no key", "✓ survived", "—"],
        ["gzip", "✗ lost login", "—"],
    ]
    assert plain(rows[0][1].note) == "5 requests, 0.4 s"
    assert plain(rows[1][1].note) == "no key was installed; 1 request, 9.0 s"
    assert [row[2].note for row in rows] == ["its documentation does not say", "not run with this agent"]


def test_the_counts_leave_out_what_is_not_known() -> None:
    table = counts_table(MATRIX)
    assert [[plain(cell.text) for cell in row] for row in table.rows] == [
        ["mine", "run, in the tree of atomic-mine", "1", "1", "2"],
        ["other", "not run: from its documentation", "0", "0", "0"],
        ["third", "not run", "—", "—", "—"],
    ]
    assert table.rows[2][1].note == "nothing <was> composed"


def test_the_section_has_an_anchor_and_escapes_its_text() -> None:
    page = conformance(MATRIX)._repr_html_()
    assert 'id="faults-survived"' in page
    assert 'id="faults-and-agents"' in page
    assert "&lt;compressed&gt;" in page
    assert "nothing &lt;was&gt; composed" in page
    assert conformance(Matrix((), (), ()))._repr_html_() == ""


def test_the_long_table_is_folded_away_and_a_column_that_was_not_run_says_so() -> None:
    page = conformance(MATRIX)._repr_html_()
    folded = page.partition('<details class="fold">')[2]
    assert 'id="faults-and-agents"' in folded
    assert 'id="faults-survived-by-agent"' not in folded
    assert conformance_table(MATRIX).header == ("fault", "mine", "other (not run)")


def test_where_no_fault_was_injected_there_is_no_section(tmp_path: Path) -> None:
    assert read_matrix(tmp_path) is None
    assert conformance(None)._repr_html_() == ""


def test_a_runs_matrix_is_read_and_a_damaged_one_named(tmp_path: Path) -> None:
    file = tmp_path / "conformance.json"
    file.write_text(json.dumps(MATRIX.to_json()))
    assert read_matrix(tmp_path) == MATRIX
    for text in ('{"schema": 1', "[]", '{"faults": []}', "[" * 100_000):
        file.write_text(text)
        with pytest.raises(WorkbookError, match=r"conformance\.json: no matrix"):
            read_matrix(tmp_path)


def test_the_csv_has_a_row_for_each_fault_and_agent() -> None:
    rows = list(csv.DictReader(csv_text(MATRIX).splitlines()))
    assert [(row["fault"], row["agent"], row["variant"], row["outcome"]) for row in rows] == [
        ("no key", "mine", "atomic-mine", "survived"),
        ("gzip", "mine", "atomic-mine", "lost login"),
        ("no key", "other", "", "unknown"),
    ]
    assert (rows[0]["requests"], rows[0]["seconds"], rows[2]["requests"]) == ("5", "0.42", "")


def test_a_matrix_comes_back_from_json_as_it_was() -> None:
    assert Matrix.from_json(MATRIX.to_json()) == MATRIX


def test_what_was_run_stands_before_what_is_documented() -> None:
    ran = MatrixCell(FAULTS[0].name, "mine", "survived", "", True, 5, 0.4)
    matrix = matrix_of([ran], FAULTS[:2], trees={"mine": "v"}, not_run={"third": "why"})
    assert matrix.agents == ("mine", AGENT)
    assert len(matrix.cells) == 3
    assert (matrix.trees, matrix.not_run) == ((("mine", "v"),), (("third", "why"),))


def test_what_is_documented_is_marked_as_not_run() -> None:
    cells = documented_matrix(FAULTS)
    assert {cell.agent for cell in cells} == {AGENT}
    assert not any(cell.run for cell in cells)
    assert all("not run" in cell.why for cell in cells if cell.outcome != "unknown")
    assert {cell.outcome for cell in cells} >= {"lost login", "script before key", "no end", "unknown"}
