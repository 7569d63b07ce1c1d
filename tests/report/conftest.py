"""The browser and what checks the pages in it."""

from collections.abc import Iterator

import pytest

from tests.accessibility import axe_program, missing
from tests.browser import Page, browser_page, find_browser


@pytest.fixture(scope="session")
def axe() -> str:
    """The program axe-core."""
    return axe_program()


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    """A page of the browser that is installed."""
    program = find_browser()
    if program is None:
        missing("no Chromium is installed")
    with browser_page(program) as page:
        yield page
