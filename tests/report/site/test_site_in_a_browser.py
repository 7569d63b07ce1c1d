"""The pages of a site in a real browser: accessible, no wider than the window, complete without JavaScript."""

import re
from pathlib import Path

import pytest

from tests.accessibility import violations
from tests.browser import Page
from tests.report import factory
from tests.report.site.site_factory import JQ, add, publish, variant

PAGES = (
    "index.html", "runs/index.html", "variants/index.html", "packages/index.html", "variants/atomic-min/index.html",
    "packages/jq/index.html", "runs/2026-11-02T03-00-00Z-default/index.html",
    "runs/2026-11-02T03-00-00Z-default/downloads.html",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with an alert, changes over time and a removed package."""
    top = tmp_path_factory.mktemp("published")
    base = variant("cloud-docker")
    add(top / "build", 1, base, variant("atomic-min"))
    add(top / "build", 2, base, variant("atomic-min", JQ))
    add(top / "build", 3, base, variant("atomic-min"))
    add(top / "build", 4, base, factory.failed_result().model_copy(update={"variant": "atomic-min"}))
    publish(top / "build", top / "site")
    return top / "site"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_a_site_violates_no_rule_of_axe(
    site: Path, browser: Page, axe: str, name: str, width: int, dark: bool
) -> None:
    browser.open(site / name, width, dark=dark)
    assert violations(browser, axe) == []
    assert browser.evaluate("document.documentElement.scrollWidth") == width


def test_a_page_says_the_same_without_javascript(site: Path, browser: Page) -> None:
    text = "document.querySelector('main').innerText"
    browser.open(site / "packages/jq/index.html", 1280)
    with_script = browser.evaluate(text)
    own = site / "packages/jq/without.html"
    own.write_text(re.sub(r"<script>.*?</script>", "", (site / "packages/jq/index.html").read_text(), flags=re.DOTALL))
    browser.open(own, 1280)
    assert browser.evaluate(text) == with_script
    assert "jq (recipe)" not in with_script, "the package is in no variant any more"
    assert "3.0" in with_script
