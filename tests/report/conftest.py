"""The browser and what checks the pages in it."""

from collections.abc import Iterator

import pytest

from tests.accessibility import axe_program
from tests.browser import Page, installed_browser


@pytest.fixture(scope="session")
def axe() -> str:
    """The program axe-core."""
    return axe_program()


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    """A page of the browser that is installed."""
    with installed_browser() as page:
        yield page
