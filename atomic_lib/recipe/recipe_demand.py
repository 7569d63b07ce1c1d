"""What a recipe asks of its content."""

from atomic_lib.content.demand import Demand
from atomic_lib.content.local_rpms import LocalRpms
from atomic_lib.recipe.origins import place_of
from atomic_lib.recipe.recipe import Recipe


def recipe_demand(recipe: Recipe, *, strict: bool = False, local: LocalRpms | None = None) -> Demand:
    """The packages and groups that a recipe names, the repositories that it brings along, and RPMs of the user's."""
    return Demand(
        source=str(recipe.files[0]) if recipe.files else "recipe",
        words=recipe.packages,
        groups=recipe.groups,
        excludes=recipe.excludes,
        weak_dependencies=recipe.weak_dependencies,
        strict=strict,
        repositories=recipe.repositories,
        local=local,
        place_of=lambda word: place_of(word, recipe) if recipe.files else "",
    )
