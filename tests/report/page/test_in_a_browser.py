"""The pages in a real browser: accessible by the rules of axe-core, and no wider than the window."""

from pathlib import Path

import pytest

from tests.accessibility import violations
from tests.browser import Page
from tests.report.page.notebook_factory import PAGES


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_violates_no_rule_of_axe(run: Path, browser: Page, axe: str, name: str, width: int, dark: bool) -> None:
    browser.open(run / name, width, dark=dark)
    assert violations(browser, axe) == []
    assert browser.evaluate("document.documentElement.scrollWidth") == width


def test_axe_sees_a_violation(run: Path, browser: Page, axe: str) -> None:
    browser.open(run / "index.html", 1280)
    broken = "document.querySelector('figure svg').removeAttribute('aria-label')"
    assert [text.partition(":")[0] for text in violations(browser, axe, broken)] == ["svg-img-alt"]


def test_the_first_screen_has_the_table_and_the_variants_side_by_side_on_a_phone(run: Path, browser: Page) -> None:
    browser.open(run / "index.html", 390)
    box = "document.querySelector('#overview table').getBoundingClientRect()"
    assert browser.evaluate(f"{box}.right") <= 390
    assert browser.evaluate(f"{box}.top") < 844


def test_a_chart_is_drawn_in_the_colours_of_the_page(run: Path, browser: Page) -> None:
    colours = []
    for dark in (False, True):
        browser.open(run / "bytes.html", 1280, dark=dark)
        colours.append(
            browser.evaluate("""[document.querySelector('figure svg text'), document.body].map(
            one => getComputedStyle(one)).map((style, place) => place ? style.color : style.fill)""")
        )
    assert colours[0] != colours[1]
    assert [ink for ink, _ in colours] == [text for _, text in colours]


def test_a_heading_that_sorts_is_no_box_also_above_the_names(run: Path, browser: Page) -> None:
    browser.open(run / "atomic-min/index.html", 1280)
    buttons = "[...document.querySelectorAll('thead .sort')]"
    assert "name" in browser.evaluate(f"{buttons}.map(button => button.textContent)")
    assert set(browser.evaluate(f"{buttons}.map(button => getComputedStyle(button).borderTopWidth)")) == {"0px"}
