"""The section about faults, from a small matrix."""

from atomic_lib.machine.conformance.documented import AGENT
from atomic_lib.machine.conformance.faults import FAULTS
from atomic_lib.machine.conformance.matrix import Cell, Matrix, documented_matrix
from atomic_lib.report.conformance import conformance, conformance_table, counts_table
from tests.report.factory import plain

MATRIX = Matrix(
    (("no key", "the service has no key"), ("gzip", "user-data is <compressed>")),
    ("mine", "other"),
    (
        Cell("no key", "mine", "survived", "", True, 5, 0.42),
        Cell("gzip", "mine", "lost login", "no key was installed", True, 1, 9.0),
        Cell("no key", "other", "unknown", "", False),
    ),
)


def test_a_cell_says_what_happened_why_and_what_it_took() -> None:
    rows = conformance_table(MATRIX).rows
    assert [[plain(cell.text) for cell in row] for row in rows] == [
        ["no key", "✓ survived", "—"],
        ["gzip", "✗ lost login", "—"],
    ]
    assert plain(rows[0][1].note) == "5 requests, 0.4 s"
    assert plain(rows[1][1].note) == "no key was installed; 1 request, 9.0 s"
    assert [row[2].note for row in rows] == ["not told by its documentation", "not run with this agent"]


def test_the_counts_leave_out_what_is_not_known() -> None:
    table = counts_table(MATRIX)
    assert [[plain(cell.text) for cell in row] for row in table.rows] == [
        ["mine", "1", "1", "2"],
        ["other", "0", "0", "0"],
    ]


def test_the_section_has_an_anchor_and_escapes_its_text() -> None:
    page = conformance(MATRIX)._repr_html_()
    assert 'id="faults-survived"' in page
    assert 'id="faults-and-agents"' in page
    assert "&lt;compressed&gt;" in page
    assert conformance(Matrix((), (), ()))._repr_html_() == ""


def test_a_matrix_comes_back_from_json_as_it_was() -> None:
    assert Matrix.from_json(MATRIX.to_json()) == MATRIX


def test_what_is_documented_is_marked_as_not_run() -> None:
    cells = documented_matrix(FAULTS)
    assert {cell.agent for cell in cells} == {AGENT}
    assert not any(cell.run for cell in cells)
    assert all("not run" in cell.why for cell in cells if cell.outcome != "unknown")
    assert {cell.outcome for cell in cells} >= {"lost login", "script before key", "no end", "unknown"}
