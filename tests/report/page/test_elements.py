"""Values as text: signs, units, dashes with reasons, and everything escaped."""

import pytest

from atomic_lib.report.elements.blocks import Alert, Paragraph, Section
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import delta, percentage, plural, signed
from tests.report.factory import plain


@pytest.mark.parametrize(
    ("value", "base", "unit", "expected"),
    [
        (412_000_000, 666_000_000, "bytes", "-254.0 MB (-38 %)"),
        (98, 104, "count", "-6 (-5.8 %)"),
        (61.2, 60.0, "seconds", "+1.2 s (+2.0 %)"),
        (5, 0, "count", "+5"),
        (7, 7, "count", "±0"),
        (1_000_000, 1_000_001, "bytes", "±0"),
        (41_000, 0, "bytes", "+41.0 kB"),
        (50_000_000, 1_000_000, "bytes", "+49.0 MB"),
        (31_100_700, 31_100_000, "bytes", "+0.7 kB"),
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
    assert '<td class="number end" data-value="1">1</td><td class="missing end">—' in html


def test_a_table_has_an_anchor_of_its_own_words_its_method_and_its_csv() -> None:
    rows = ((Cell("a"), number(1500, "bytes")), (Cell("sum"), number(1500, "bytes")))
    table = Table("Packages of a: 258 packages", ("", "size"), rows, how="n = 1", csv="a.csv", feet=1, fixed=True)
    html = table._repr_html_()
    assert '<div class="block" id="packages-of-a">' in html
    assert 'href="#packages-of-a"' in html
    assert '<a class="csv" href="a.csv">CSV</a>' in html
    assert "<summary>How measured</summary><p>n = 1</p>" in html
    assert '<tfoot><tr><th scope="row">sum</th>' in html
    assert '<table class="fixed">' in html
    assert 'data-value="1500">1.5' in html


def test_a_table_without_rows_says_that_nothing_was_measured() -> None:
    html = Table("Image by part", ("part",), (), how="n = 1", csv="a.csv", notes=("a note",))._repr_html_()
    assert html == '<div class="empty"><p>Image by part: not measured.</p></div>'


def test_a_long_chain_is_folded_and_a_section_without_parts_is_nothing() -> None:
    assert Cell("a → c", more="a → b → c").html() == "<details><summary>a → c</summary>a → b → c</details>"
    assert Section("Waterfall", "text", ())._repr_html_() == ""
    assert '<h2 id="waterfall">Waterfall<' in Section("Waterfall", "", (Paragraph("x"),))._repr_html_()


@pytest.mark.parametrize(
    ("value", "base", "expected"),
    [
        (100.5, 100, "0.5 %"),
        (99.04, 100, "1.0 %"),
        (109.96, 100, "10 %"),
        (100.04, 100, ""),
        (1100, 100, ""),
        (5, 0, ""),
    ],
)
def test_a_percentage_is_rounded_alike_wherever_it_is_written(value: float, base: float, expected: str) -> None:
    assert plain(percentage(value, base)) == expected
    assert plain(delta(value * 1e6, base * 1e6, "bytes")).endswith(f"{expected})") == bool(expected)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(0.053, "seconds", "53 ms"), (13.4034, "counted", "13.40 counted s"), (0.0, "seconds", "0.0 s")],
)
def test_times_tell_what_kind_of_seconds_they_are(value: float, unit: str, expected: str) -> None:
    assert plain(number(value, unit).text) == expected  # type: ignore[arg-type]
