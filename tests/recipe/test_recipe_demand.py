"""What a recipe asks of its content."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.yum_repository import YumRepository
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.recipe_demand import joined_demand, recipe_demand


def test_a_demand_is_what_the_recipe_names_with_its_places(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("packages:\n  - bash git\n")
    recipe = Recipe(
        files=(file,), packages=("bash", "git"), groups=("core",), excludes=("dnf*",), weak_dependencies=False
    )
    demand = recipe_demand(recipe)
    assert (demand.words, demand.groups, demand.excludes) == (("bash", "git"), ("core",), ("dnf*",))
    assert not demand.weak_dependencies
    assert (demand.source, demand.place_of("git")) == (str(file), f"{file}:2")


def test_a_recipe_without_a_file_has_a_demand_too() -> None:
    demand = recipe_demand(Recipe(files=(), packages=("bash",)))
    assert (demand.source, demand.place_of("bash")) == ("recipe", "")


def test_several_recipes_have_one_demand_for_all_that_one_of_them_asks_for() -> None:
    first = recipe_demand(
        Recipe(files=(), packages=("bash", "git"), excludes=("dnf*", "perl"), weak_dependencies=False)
    )
    second = recipe_demand(Recipe(files=(), packages=("git", "vim"), groups=("core",), excludes=("dnf*",)))
    joined = joined_demand([first, second])
    assert (joined.words, joined.groups, joined.excludes) == (("bash", "git", "vim"), ("core",), ("dnf*",))
    assert joined.weak_dependencies
    assert joined_demand([first]) == first


def test_recipes_with_different_repositories_are_not_joined() -> None:
    plain = recipe_demand(Recipe(files=(), packages=("bash",)))
    brought = replace(
        plain, source="own.yaml", repositories=(YumRepository("own", "own.repo:1", baseurl=("https://x",)),)
    )
    with pytest.raises(WorkbookError, match=r"recipe and own\.yaml bring different repositories"):
        joined_demand([plain, brought])
