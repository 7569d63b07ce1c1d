"""What a recipe asks of its content."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from atomic_lib.base.errors import WorkbookError
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


def joined_demand(demands: Sequence[Demand]) -> Demand:
    """What several recipes together ask for: one content that has the packages of each of them.

    Only what all of them exclude is excluded. Raises WorkbookError if they bring different repositories or RPMs.
    """
    first = demands[0]
    for other in demands:
        if (other.repositories, other.local) != (first.repositories, first.local):
            raise WorkbookError(
                f"{first.source} and {other.source} bring different repositories, or RPMs of your own",
                hint="give them the same .repo files, local_rpms and local_rpms_key, or solve them one after the other",
            )
    return replace(
        first,
        words=_unique(word for one in demands for word in one.words),
        groups=_unique(group for one in demands for group in one.groups),
        excludes=tuple(word for word in first.excludes if all(word in one.excludes for one in demands)),
        weak_dependencies=any(one.weak_dependencies for one in demands),
        strict=any(one.strict for one in demands),
        place_of=lambda word: next((one.place_of(word) for one in demands if word in one.words), ""),
    )


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
