"""A build directory with runs of three days, and its site."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from atomic_lib.report.figures.picture import Picture
from atomic_lib.report.site import front_page, variant_pages
from atomic_lib.results.history.figure_trends import Trend
from tests.report.site.site_factory import JQ, add, drawn, publish, variant


@pytest.fixture(autouse=True, scope="module")
def drawn_once() -> Iterator[None]:
    """Have the tests draw figures over time that are the same, and take most of a site's time, once."""

    def picture_of(trends: Sequence[Trend]) -> Picture:
        return drawn(tuple(trends))

    with pytest.MonkeyPatch.context() as patch:
        for module in (front_page, variant_pages):
            patch.setattr(module, "picture_of", picture_of)
        yield


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with ``build``, three good runs, and their ``site``; from the second day on, atomic-min has jq."""
    top = tmp_path_factory.mktemp("published")
    base = variant("cloud-docker")
    add(top / "build", 1, base, variant("atomic-min"))
    add(top / "build", 2, base, variant("atomic-min", JQ))
    add(top / "build", 3, base, variant("atomic-min", JQ))
    publish(top / "build", top / "site")
    return top


@pytest.fixture
def build(published: Path, tmp_path: Path) -> Path:
    """The three good runs, for the test alone."""
    return shutil.copytree(published / "build", tmp_path / "build")


@pytest.fixture
def site(published: Path, build: Path, tmp_path: Path) -> Path:
    """The site of ``build``, for the test alone."""
    return shutil.copytree(published / "site", tmp_path / "site")
