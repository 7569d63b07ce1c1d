"""What a recipe asks of its content."""

from pathlib import Path

from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.recipe_demand import recipe_demand


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
