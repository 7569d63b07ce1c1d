"""The pages in a real browser: accessible by the rules of axe-core, and no wider than the window."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from tests.browser import Page, browser_page, find_browser
from tests.report.page.notebook_factory import PAGES

PREPARE = """
document.querySelectorAll("details:not(td details)").forEach(one => { one.open = true; });
document.querySelectorAll("tbody").forEach(body => Array.from(body.rows).slice(4).forEach(row => row.remove()));
"""
"""What is folded is shown; of the rows of a table, which are alike, some are enough."""
VIOLATIONS = """
axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
  one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 200)).join(" | ")}`))
"""


def missing(what: str) -> NoReturn:
    """Skip the test; fail it in CI, which brings what is needed."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}: see .ci/run")
    pytest.skip(f"{what}: see docs/testing.md")


@pytest.fixture(scope="module")
def axe() -> str:
    """The program axe-core."""
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        missing("axe-core is not installed")
    return Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    """A page of the browser that is installed."""
    program = find_browser()
    if program is None:
        missing("no Chromium is installed")
    with browser_page(program) as page:
        yield page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_violates_no_rule_of_axe(run: Path, browser: Page, axe: str, name: str, width: int, dark: bool) -> None:
    browser.open(run / name, width, dark=dark)
    browser.evaluate(f"{PREPARE}; {axe}; 1")
    assert browser.evaluate(VIOLATIONS) == []
    assert browser.evaluate("document.documentElement.scrollWidth") == width


def test_axe_sees_a_violation(run: Path, browser: Page, axe: str) -> None:
    browser.open(run / "index.html", 1280)
    browser.evaluate(f"document.querySelector('figure svg').removeAttribute('aria-label'); {axe}; 1")
    assert [text.partition(":")[0] for text in browser.evaluate(VIOLATIONS)] == ["svg-img-alt"]


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
