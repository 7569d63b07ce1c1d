"""The page of a sweep: choices ordered by what they save, every variant, and what has no solution."""

import html
from dataclasses import replace

from atomic_lib.report.elements.blocks import Section
from atomic_lib.report.tables.sweep.sweep_tables import (
    interactions_table,
    main_effects_table,
    savings_table,
    sweep_parts,
    variants_table,
)
from atomic_lib.report.text.content_words import STANDIN_NOTICE
from atomic_lib.results.variant_result import ContentSummary
from tests.report.factory import plain
from tests.results.test_sweep_result import RESULT, ROWS, row


def test_only_choices_that_save_are_listed_and_the_most_saving_first() -> None:
    assert savings_table(RESULT).rows == ()
    assert "No choice saves anything." in savings_table(RESULT)._repr_html_()
    rows = [[plain(cell.text) for cell in row] for row in main_effects_table(RESULT).rows]
    assert rows[0][:4] == ["agent: large", "small", "±0", "+0.5 kB"]


def test_a_variant_without_a_solution_says_why() -> None:
    failed = variants_table(RESULT).rows[-1]
    assert failed[3].kind == "missing"
    assert "because" in failed[3].note
    assert "1 variant without a solution" in sweep_parts(RESULT, Section("", "", ()))[1]._repr_html_()


def test_the_page_begins_with_its_title_and_what_the_packages_are() -> None:
    def opening(**content: object) -> str:
        summary = ContentSummary.model_validate(content)
        return sweep_parts(replace(RESULT, contents=(summary,)), Section("", "", ()))[0]._repr_html_()

    debian = opening(title="stand-in content (Debian 13)", releasever="13", standin=True)
    assert '<p class="line">Stand-in content (Debian 13)</p><h1>Choices</h1><p class="notice">' in debian
    assert STANDIN_NOTICE in html.unescape(debian)
    fedora = opening(title="Fedora", releasever="43", standin=False)
    assert fedora == '<p class="line">Fedora 43</p><h1>Choices</h1>'


def test_only_choices_whose_bytes_do_not_add_up_are_said_to_interact() -> None:
    def shown(installed: int) -> list[list[str]]:
        table = interactions_table(replace(RESULT, rows=(*ROWS[:3], row("large", "with", installed))))
        return [[plain(cell.text) for cell in cells] for cells in table.rows]

    assert shown(1600) == [], "they add up"
    assert [cells[1:] for cells in shown(1450)] == [["1.0 kB", "1.5 kB", "1.1 kB", "1.4 kB", "-0.1 kB"]]
