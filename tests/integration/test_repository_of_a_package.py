"""One NEVRA in two repositories, with other bits: the lock names the repository whose file it is, whatever its name."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store, file_sha256
from atomic_lib.content.repositories import Content, local_repository
from atomic_lib.content.signing import sign_and_index
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.lock import Lock, write_lock
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.tools.context import Context
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import make_rpm

pytestmark = pytest.mark.integration

RECIPE = Recipe(files=(Path("tiny.yaml"),), packages=("one",))


@pytest.mark.parametrize("order", [("ra", "rb"), ("rb", "ra")])
def test_the_repository_in_a_lock_is_the_one_whose_file_it_is(tmp_path: Path, order: tuple[str, str]) -> None:
    tools = open_tools(cache_directory())
    digests, sizes_bytes = {}, {}
    (tmp_path / "comps.xml").write_text("<comps/>\n")
    for repo in order:
        rpm = make_rpm(tools, tmp_path / repo, "one", files=f"%ghost /var/{repo}")
        rpm = rpm.rename(rpm.with_name("download.rpm")) if repo == "rb" else rpm
        sign_and_index(tools, rpm.parent, repo, comps=tmp_path / "comps.xml")
        digests[repo], sizes_bytes[repo] = file_sha256(rpm), rpm.stat().st_size
    content = Content(
        name="tiny", title="Tiny", key="k", releasever="1", kernel_arguments="", selinux_policy="none",
        repo_text="".join(map(local_repository, order)), local={repo: tmp_path / repo for repo in order}, remote=False,
        dnf_cache=None,
    )  # fmt: skip
    context = Context(tools, tmp_path / "cache", Store(tmp_path / "store"))
    (found,) = resolve_rpm_set(RECIPE, content, context, name="test", lock_file=None).lock.packages
    assert digests[found.repo] == found.sha256

    for repo, digest in digests.items():
        lock = Lock("tiny", (replace(found, repo=repo, sha256=digest, size_bytes=sizes_bytes[repo]),))
        write_lock(lock, tmp_path / "lock.json")
        empty = Context(tools, tmp_path / f"cache-{repo}", Store(tmp_path / f"store-{repo}"))
        again = resolve_rpm_set(RECIPE, content, empty, name="test", lock_file=tmp_path / "lock.json")
        assert again.lock == lock
        assert file_sha256(again.directory / found.file_name) == digest
