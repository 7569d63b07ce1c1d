"""dnf's options for a recipe."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf, enabled_repos, pinned_packages
from tests.contexts import NO_TOOLS

RECIPE = Recipe(files=(Path("a.yaml"),), packages=("bash",))


def test_a_package_of_one_repository_is_hidden_in_all_others() -> None:
    pinned = (("workbook", ("agent", "tool")), ("updates", ("bash",)))
    assert pinned_packages(replace(RECIPE, repo_packages=pinned), ["base", "updates", "workbook"]) == [
        "--setopt=base.excludepkgs=agent,tool,bash",
        "--setopt=updates.excludepkgs=agent,tool",
        "--setopt=workbook.excludepkgs=bash",
    ]
    assert pinned_packages(RECIPE, ["base"]) == []
    more = [("base", ("a-0:1-1.x",))]
    assert pinned_packages(replace(RECIPE, repo_packages=pinned[1:]), ["base", "updates"], more) == [
        "--setopt=base.excludepkgs=bash", "--setopt=updates.excludepkgs=a-0:1-1.x",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a >= 1", "a,b", "--x"])
def test_only_a_name_can_be_hidden(name: str) -> None:
    with pytest.raises(WorkbookError, match=r"^a\.yaml: repo-packages: .* is not the name of a package"):
        pinned_packages(replace(RECIPE, repo_packages=(("workbook", (name,)),)), ["base"])


def test_lockfile_repositories_are_enabled_only_for_a_locked_set() -> None:
    recipe = replace(RECIPE, repos=("base",), lockfile_repos=("pool",))
    assert enabled_repos(recipe, ["base", "pool"]) == ["--disablerepo=*", "--enablerepo=base"]
    assert enabled_repos(recipe, ["base", "pool"], locked=True) == ["--disablerepo=*", "--enablerepo=base,pool"]
    without_names = replace(recipe, repos=())
    assert enabled_repos(without_names, ["base", "pool"]) == ["--disablerepo=*", "--enablerepo=base"]
    assert enabled_repos(RECIPE, ["base", "pool"]) == []


def test_rpms_of_ones_own_are_used_whatever_repositories_the_recipe_names() -> None:
    recipe = replace(RECIPE, repos=("base",))
    assert enabled_repos(recipe, ["base", "pool", "local"]) == ["--disablerepo=*", "--enablerepo=base,local"]
    assert enabled_repos(RECIPE, ["base", "local"]) == []


def test_only_the_indexes_of_mirrors_stay_as_they_were_fetched(tmp_path: Path) -> None:
    content = Content(
        name="own", title="Own", key="k", releasever="43", kernel_arguments="", selinux_policy="targeted",
        repo_text="[updates]\n[workbook]\n", local={"workbook": tmp_path}, remote=True, dnf_cache=tmp_path / "cache",
    )  # fmt: skip
    line, _ = Dnf(NO_TOOLS, content, RECIPE, tmp_path).prepared(["install", "bash"])
    assert [word for word in line if "metadata_expire" in word] == ["--setopt=updates.metadata_expire=never"]
