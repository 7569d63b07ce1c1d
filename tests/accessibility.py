"""What axe-core finds on a page that a browser shows."""

from importlib.util import find_spec
from pathlib import Path

from tests.browser import Page, missing

_PREPARE = """
document.querySelectorAll("details:not(td details)").forEach(one => { one.open = true; });
document.querySelectorAll("tbody").forEach(body => Array.from(body.rows).slice(4).forEach(row => row.remove()));
"""
"""What is folded is shown; of the rows of a table, which are alike, some are enough."""
_VIOLATIONS = """
axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
  one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 200)).join(" | ")}`))
"""


def axe_program() -> str:
    """The program axe-core."""
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        missing("axe-core is not installed")
    return Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, axe: str, before: str = "") -> list[str]:
    """The rules that the page violates, with the elements; ``before``: a script to run first."""
    page.evaluate(f"{before}; {_PREPARE}; {axe}; 1")
    return list(page.evaluate(_VIOLATIONS))
