"""Values as text: signs, units, dashes with reasons, and everything escaped."""

import pytest

from atomic_lib.report.show import Alert, Cell, Table, delta, missing, number, plural, signed
from tests.report.factory import plain


@pytest.mark.parametrize(
    ("value", "base", "unit", "expected"),
    [
        (412_000_000, 666_000_000, "bytes", "-254.0 MB (-38 %)"),
        (98, 104, "count", "-6 (-6 %)"),
        (61.2, 60.0, "seconds", "+1.2 s (+2 %)"),
        (5, 0, "count", "+5"),
        (7, 7, "count", "±0"),
        (1_000_000, 1_000_001, "bytes", "±0"),
        (41_000, 0, "bytes", "+41.0 kB"),
        (50_000_000, 1_000_000, "bytes", "+49.0 MB"),
    ],
)
def test_a_delta_has_sign_unit_and_percentage(value: float, base: float, unit: str, expected: str) -> None:
    assert plain(delta(value, base, unit)) == expected  # type: ignore[arg-type]


def test_large_figures_are_grouped() -> None:
    assert number(16111, "count").text == "16,111"
    assert plain(signed(-4_294_967_296, "bytes")) == "-4,295.0 MB"
    assert (plural(1, "boot"), plural(1200, "boot")) == ("1 boot", "1,200 boots")


def test_a_figure_that_is_missing_is_a_dash_with_its_reason() -> None:
    assert number(None, "bytes", reason="failed: compose") == missing("failed: compose")
    assert missing("failed: compose").html() == "—<br><small>failed: compose</small>"
    assert number(0, "count").text == "0"


def test_whatever_a_guest_says_is_escaped() -> None:
    nasty = '<script src="x">'
    table = Table(nasty, (nasty, nasty), ((Cell(nasty, nasty, link=nasty), Cell(nasty)),), notes=(nasty,))
    alert = Alert(nasty, nasty, nasty, nasty, ((nasty, nasty),))
    for html in (table._repr_html_(), alert._repr_html_()):
        assert "<script" not in html
        assert "&lt;script src=&quot;x&quot;&gt;" in html


def test_the_frame_holds_figures_and_marks_missing_ones() -> None:
    frame = Table("t", (), (), ({"variant": "a", "value": 3}, {"variant": "b", "value": None})).frame
    assert list(frame["variant"]) == ["a", "b"]
    assert frame["value"].isna().tolist() == [False, True]
    assert frame["value"].sum() == 3


def test_columns_of_figures_are_aligned_with_their_heading() -> None:
    rows = ((Cell("tree"), number(1, "count"), missing("why"), Cell("text")),)
    html = Table("t", ("", "a", "b", "c"), rows)._repr_html_()
    assert '<th scope="col" class="end">a</th><th scope="col" class="end">b</th><th scope="col">c</th>' in html
    assert '<td class="number end">1</td><td class="missing end">—' in html
