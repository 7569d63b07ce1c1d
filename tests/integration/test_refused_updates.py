"""Updates with a fault, offered to a sysroot of the build tools: what ostree refuses, and what it resumes; no boot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.base.paths import cache_directory
from atomic_lib.compose.update.update_repository import Version, make_update_repository
from atomic_lib.formats.openpgp import derive_key
from atomic_lib.guest.refusals.case_runner import CaseRunner
from atomic_lib.guest.refusals.faulty_repositories import SignedUpdate, make_faulty_repositories
from atomic_lib.guest.refusals.update_cases import CASES, Way
from atomic_lib.guest.update.repository_server import Site, serve_on_loopback
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.commits import EPOCH, REF, make_commit
from tests.integration.sysroot import make_client

pytestmark = pytest.mark.integration

KEY = "own key"
"""The key of ``make_commit``."""
FILES = 60


def add_files(root: Path) -> None:
    (root / "usr/lib/new").mkdir()
    for number in range(FILES):
        (root / f"usr/lib/new/{number}").write_text(f"{number}\n" * 1000)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaseRunner]:
    tools, directory = open_tools(cache_directory()), tmp_path_factory.mktemp("refused")
    first = make_commit(tools, directory / "1", key=KEY)
    second = make_commit(tools, directory / "2", key=KEY, change=add_files)
    versions = (Version(first.repo, REF, first.commit), Version(second.repo, REF, second.commit))
    served = directory / "served"
    make_update_repository(tools, served, versions)
    update = SignedUpdate(*versions, served, derive_key(tools, KEY, KEY, directory), EPOCH)
    repositories = make_faulty_repositories(update, tools, directory)
    site = Site(served)
    with serve_on_loopback(site) as url:
        yield CaseRunner(make_client(tools, first, url, directory), site, update, repositories)


IN_TOOLS = [(name, way) for name, case in CASES.items() for way in case.ways if "full disk" not in case.machine]
"""All cases but those of a full disk, of which a sysroot in a directory has none."""


@pytest.mark.parametrize(("name", "way"), IN_TOOLS, ids=[f"{name}-{way}" for name, way in IN_TOOLS])
def test_the_case_ends_as_it_must(runner: CaseRunner, name: str, way: Way) -> None:
    result = runner.run(name, way)
    print(result.model_dump_json(indent=1))
    assert result.problems == ()
