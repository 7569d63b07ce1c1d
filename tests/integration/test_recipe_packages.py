"""Recipes resolved by the real dnf, and compared by ``./workbook diff``: every planted drift is named, and no other."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.cli import main
from atomic_lib.content.repositories import Content, local_repository
from atomic_lib.content.signing import sign_and_index
from atomic_lib.pipeline.recipe_files import recipe_diff
from atomic_lib.pipeline.recipe_files.package_differences import PackageDifferences, compared
from atomic_lib.recipe.load import read_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.recipe_packages import recipe_packages
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import make_rpm

pytestmark = pytest.mark.integration

FILE = "head -c {} /dev/zero >%{{buildroot}}/usr/share/{}"
"""Gives the file of a package a size, in bytes."""
FIRST = """\
ref: own/first
repos: [tiny, old]
packages: [base, tool-a, gone, numbered, dated]
exclude-packages: [nothing]
units: [one.service]
postprocess: ["true\\n"]
"""
SECOND = """\
ref: own/second
repos: [tiny, new]
packages: [base, tool-b, numbered, dated, friendly]
units: [two.service]
default-target: graphical.target
documentation: false
install-langs: [de]
remove-files: [etc/motd]
postprocess: ["false\\n"]
"""
ENTRIES = {
    "- packages: tool-a", "- packages: gone", "+ packages: tool-b", "+ packages: friendly",
    "- excluded packages: nothing", "- repositories: old", "+ repositories: new", "- enabled units: one.service",
    "+ enabled units: two.service", "+ removed paths: etc/motd", "- default_target: multi-user.target",
    "+ default_target: graphical.target", "- documentation: True", "+ documentation: False", "+ languages: de",
    "- ref: own/first", "+ ref: own/second", "- script: first.yaml:6", "+ script: second.yaml:9",
}  # fmt: skip
RESOLVED = {
    "- resolved: tool-a-0:1-1.noarch (0)", "- resolved: lib-a-0:1-1.noarch (2.0 MB)",
    "- resolved: gone-0:1-1.noarch (0)",
    "+ resolved: tool-b-0:1-1.noarch (0)", "+ resolved: lib-b-0:1-1.noarch (0)",
    "+ resolved: friendly-0:1-1.noarch (0)", "+ resolved: friend-0:1-1.noarch (0)",
    "± resolved: numbered-0:1-1.noarch → numbered-0:2-1.noarch (+5.0 kB)",
    "± resolved: dated-0:2-1.noarch → dated-1:1-1.noarch (±0)",
    "± resolved: lib-0:1-1.noarch → lib-0:1.1-1.noarch (±0)",
}  # fmt: skip


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture(scope="module")
def content(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Content:
    """Three repositories, two of which have other builds of the same packages."""
    top = tmp_path_factory.mktemp("repositories")
    make_rpm(tools, top / "tiny", "base", tags="Requires: lib")
    for letter in "ab":
        make_rpm(tools, top / "tiny", f"tool-{letter}", tags=f"Requires: lib-{letter}")
    make_rpm(tools, top / "tiny", "lib-a", install=FILE.format(2_000_000, "lib-a"))
    make_rpm(tools, top / "tiny", "friendly", tags="Recommends: friend")
    for name in ("lib-b", "friend", "gone"):
        make_rpm(tools, top / "tiny", name)
    make_rpm(tools, top / "old", "numbered")
    make_rpm(tools, top / "new", "numbered", "2", install=FILE.format(5_000, "numbered"))
    make_rpm(tools, top / "old", "dated", "2")
    make_rpm(tools, top / "new", "dated", tags="Epoch: 1")
    make_rpm(tools, top / "old", "lib")
    make_rpm(tools, top / "new", "lib", "1.1")
    local = {name: top / name for name in ("tiny", "old", "new")}
    (top / "comps.xml").write_text("<comps/>\n")
    for name, directory in local.items():
        sign_and_index(tools, directory, name, comps=top / "comps.xml")
    return Content(
        name="tiny", title="Tiny", key="k", releasever="1", kernel_arguments="", selinux_policy="none",
        repo_text="".join(map(local_repository, local)), local=local, remote=False, dnf_cache=None,
    )  # fmt: skip


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: Tools, content: Content) -> list[str]:
    """Two recipes in the current directory, which ``diff`` resolves from the content above."""
    monkeypatch.chdir(tmp_path)
    Path("first.yaml").write_text(FIRST)
    Path("second.yaml").write_text(SECOND)

    def package_differences(recipes: Sequence[Recipe], name: str, *, make: bool) -> PackageDifferences:
        first, second = (recipe_packages(recipe, content, tools) for recipe in recipes)
        return compared(first, second, content.name)

    monkeypatch.setattr(recipe_diff, "package_differences", package_differences)
    return ["first.yaml", "second.yaml"]


def test_every_planted_drift_is_named_and_no_other(recipes: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *recipes]) == 1
    lines = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert lines[:2] == ["- first.yaml", "+ second.yaml"]
    assert set(lines[2:-1]) == ENTRIES | RESOLVED
    assert len(lines) == 3 + len(ENTRIES) + len(RESOLVED)
    assert lines[-1].startswith("resolved to 7 packages (2.0 MB installed) and 8 packages (5.0 kB installed), ")


def test_other_entries_may_have_the_same_packages(recipes: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("second.yaml").write_text(FIRST.replace("tool-a", "tool-a, lib-a"))
    assert main(["diff", *recipes]) == 1
    lines = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert lines[2:] == [
        "+ packages: lib-a", "both resolved to the same 7 packages (2.0 MB installed), from content tiny",
    ]  # fmt: skip
    assert main(["diff", "--only", "packages", *recipes]) == 0


def test_a_package_that_is_not_there_is_named_with_its_line(tools: Tools, content: Content, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("ref: own\npackages:\n  - base\n  - nowhere\n")
    with pytest.raises(WorkbookError, match=r"own.yaml:4: content 'tiny' has no package 'nowhere'"):
        recipe_packages(read_recipe(tmp_path / "own.yaml"), content, tools)
