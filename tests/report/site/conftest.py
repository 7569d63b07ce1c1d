"""A build directory with runs of three days, and its site."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.site.site_factory import JQ, add, draw_once, publish, variant


@pytest.fixture(autouse=True, scope="module")
def drawn_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        draw_once(patch)
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
