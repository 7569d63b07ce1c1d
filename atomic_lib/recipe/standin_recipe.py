"""What of a recipe stand-in content can do; the rest becomes notes for the report."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from atomic_lib.content.demand import MissingPackage
from atomic_lib.recipe.recipe import Recipe


def standin_recipe(recipe: Recipe, missing: Sequence[MissingPackage], content: str, *, strict: bool = False) -> Recipe:
    """The recipe without packages that stand-in content has no counterpart for, its repositories and its release.

    ``missing``: the packages, those of groups among them; ``content``: the content's name. ``strict``: units and
    settings that the tree lacks stay errors.
    """
    names = {one.name for one in missing}
    left_out = tuple(name for name in recipe.packages if name in names)
    return replace(
        recipe,
        packages=tuple(name for name in recipe.packages if name not in names),
        layer=tuple(name for name in recipe.layer if name not in names),
        left_out=left_out,
        optional_settings=not strict,
        repos=(),
        extra_repos=(),
        repositories=(),
        repo_packages=(),
        lockfile_repos=(),
        releasever=None,
        notes=(*recipe.notes, *_notes(recipe, missing, content)),
    )


def _notes(recipe: Recipe, missing: Sequence[MissingPackage], content: str) -> Iterable[str]:
    named = [one for one in missing if one.name in recipe.packages]
    of_groups = [one for one in missing if one.name not in recipe.packages]
    if named:
        count = f"{len(named)} of {len(recipe.packages)}"
        yield f"entries without a counterpart in content {content!r}, left out ({count}): {_listed(named)}"
    if of_groups:
        yield f"packages of groups without one, left out ({len(of_groups)}): {_listed(of_groups)}"
    brought = {one.name: one.source.rpartition("/")[2] for one in recipe.repositories}
    pinned = (repo for repo, _ in recipe.repo_packages)
    for name in dict.fromkeys((*brought, *recipe.repos, *recipe.extra_repos, *pinned, *recipe.lockfile_repos)):
        place = brought.get(name) or recipe.files[0].name
        yield f"{place}: repository {name!r:.100} is not used: content {content!r} has packages of its own"
    if recipe.releasever:
        yield f"releasever {recipe.releasever!r} is not used: content {content!r} has a release of its own"


def _listed(missing: Iterable[MissingPackage]) -> str:
    return ", ".join(one.name + (f" (similar: {', '.join(one.similar)})" if one.similar else "") for one in missing)
