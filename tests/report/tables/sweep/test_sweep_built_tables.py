"""What was made of a sweep: bytes that are not as predicted, the front, and what could not be made."""

from dataclasses import replace

from atomic_lib.report.figures.sweep_front import built_section
from atomic_lib.report.tables.sweep.sweep_built_tables import booted_table, composed_table
from atomic_lib.results.sweep_result import BuiltVariant
from tests.report.factory import plain
from tests.results.test_sweep_result import RESULT, ROWS, booted


def test_a_sweep_of_which_nothing_was_made_has_no_such_section() -> None:
    assert built_section(RESULT).parts == ()
    assert built_section(RESULT)._repr_html_() == ""


def test_bytes_that_are_not_as_predicted_stand_out() -> None:
    one = replace(ROWS[0], built=BuiltVariant(1003, {"/etc/passwd": 3}))
    other = replace(ROWS[1], built=BuiltVariant(1000))
    broken = replace(ROWS[2], built=BuiltVariant(error="a scriptlet failed"))
    result = replace(RESULT, rows=(one, other, broken, ROWS[3]))
    last = [cells[4] for cells in composed_table(result).rows]
    assert [(plain(cell.text), cell.kind) for cell in last[:2]] == [("✓ passed", "good"), ("✗ -500 bytes", "bad")]
    assert (last[2].kind, last[2].note) == ("missing", "a scriptlet failed")
    html = built_section(result)._repr_html_()
    assert "Of 3 variants the packages were installed; in 1 of them" in html
    assert "0 variants booted" in html


def test_the_figure_and_the_table_say_what_is_on_the_front() -> None:
    result = booted((200_000_000, 3.0), (300_000_000, 4.0), (400_000_000, 2.0))
    assert [[plain(cell.text) for cell in cells] for cells in booted_table(result).rows] == [
        ["v0", "200.0 MB", "3.00 counted s", "yes"],
        ["v1", "300.0 MB", "4.00 counted s", "no"],
        ["v2", "400.0 MB", "2.00 counted s", "yes"],
    ]
    html = built_section(result)._repr_html_()
    assert "v0 200.0" in plain(html)
    assert html.count("on the front") > 3
