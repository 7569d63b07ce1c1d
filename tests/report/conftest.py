"""A run of all kinds of variants; the browser, and what checks the pages in it."""

from collections.abc import Iterator

import pytest

from atomic_lib.results.study_result import StudyResult
from tests.accessibility import axe_program
from tests.browser import Page, installed_browser
from tests.report import factory


@pytest.fixture(scope="module")
def study() -> StudyResult:
    """Three variants that were built, one that failed, one that was not booted."""
    return factory.study_of(*factory.all_results())


@pytest.fixture(scope="session")
def axe() -> str:
    """The program axe-core."""
    return axe_program()


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    """A page of the browser that is installed."""
    with installed_browser() as page:
        yield page
