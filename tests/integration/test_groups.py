"""Package groups with the real dnf: a recipe with groups installs what dnf solves their packages to."""

from pathlib import Path

import pytest

from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store
from atomic_lib.content.repositories import Content, local_repository
from atomic_lib.content.signing import sign_and_index
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.solve.solver import solve
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import make_rpm

pytestmark = pytest.mark.integration

NAMES = ("must", "usual", "more", "with-must", "with-more", "with-virtual", "with-with", "with-absent", "other-arch")
CONDITIONS = {"with-must": "must", "with-more": "more", "with-virtual": "virtual", "with-with": "with-must",
              "with-absent": "absent"}  # fmt: skip
ASKS = {"one": "must usual", "required": "must", "all": "must usual more"}
"""What packages require in place of ``@one`` with an option: the dnf of Debian, in the tools tree, reads no groups."""
COMPS = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group><id>one</id><name>Group One</name><packagelist>
    <packagereq type="mandatory">must</packagereq>
    <packagereq type="mandatory">absent</packagereq>
    <packagereq type="mandatory" arch="ppc64le">other-arch</packagereq>
    <packagereq type="default">usual</packagereq>
    <packagereq type="optional">more</packagereq>
    <packagereq type="conditional" requires="must">with-must</packagereq>
    <packagereq type="conditional" requires="must">with-none</packagereq>
    <packagereq type="conditional" requires="more">with-more</packagereq>
    <packagereq type="conditional" requires="virtual">with-virtual</packagereq>
    <packagereq type="conditional" requires="with-must">with-with</packagereq>
    <packagereq type="conditional" requires="absent">with-absent</packagereq>
  </packagelist></group>
  <group><id>two</id><name>Group Two</name><packagelist><packagereq>more</packagereq></packagelist></group>
  <environment><id>both</id><name>Both</name>
    <grouplist><groupid>one</groupid></grouplist><optionlist><groupid>two</groupid></optionlist>
  </environment>
</comps>
"""


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture(scope="module")
def content(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Content:
    directory = tmp_path_factory.mktemp("content")
    for name in NAMES:
        make_rpm(tools, directory / "tiny", name, tags="Provides: virtual" if name == "must" else "")
    for name, packages in ASKS.items():
        # as dnf's base.py asks the solver for a conditional package
        rich = [f"({one} if {condition})" for one, condition in CONDITIONS.items()]
        tags = "\n".join(f"Requires: {one}" for one in (*packages.split(), *rich))
        make_rpm(tools, directory / "tiny", f"asks-{name}", tags=tags)
    (directory / "comps.xml").write_text(COMPS)
    sign_and_index(tools, directory / "tiny", "tiny", comps=directory / "comps.xml")
    return Content(
        name="tiny", title="Tiny", key="k", releasever="1", kernel_arguments="", selinux_policy="none",
        repo_text=local_repository("tiny"), local={"tiny": directory / "tiny"}, remote=False, dnf_cache=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "asked", "expected"),
    [
        ("one", "one", "must usual with-must with-virtual with-with"),
        ("^both", "one", "must usual with-must with-virtual with-with"),
        ("one --nodefaults", "required", "must with-must with-virtual with-with"),
        ("one --optional", "all", "more must usual with-more with-must with-virtual with-with"),
        ("one,two", "all", "more must usual with-more with-must with-virtual with-with"),
    ],
)
def test_groups_install_what_dnf_solves(
    tools: Tools, content: Content, tmp_path: Path, groups: str, asked: str, expected: str
) -> None:
    recipe = Recipe(files=(Path("a.ks"),), packages=(), groups=tuple(groups.split(",")))
    context = Context(tools, tmp_path / "cache", Store(tmp_path / "store"))
    rpm_set = resolve_rpm_set(recipe, content, context, name="test", lock_file=None)
    assert " ".join(package.name for package in rpm_set.lock.packages) == expected
    assert rpm_set.words == ("install", *expected.split())
    again = resolve_rpm_set(recipe, content, context, name="test", lock_file=rpm_set.directory.parent / "lock.json")
    assert again.words == rpm_set.words
    (tmp_path / "dnf").mkdir()
    solved = solve(Dnf(tools, content, recipe, tmp_path / "dnf"), ["install", f"asks-{asked}"]).packages
    assert " ".join(sorted(solved.keys() - {f"asks-{asked}"})) == expected
