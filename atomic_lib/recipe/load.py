"""Loads the recipe of a variant from its treefile or kickstart."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, PARAMS_DIRECTORY
from atomic_lib.params.variant import Variant
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.recipe.source import listing_hint

__all__ = ["PostScript", "Recipe", "load_container_recipe", "load_recipe", "load_recipes", "read_recipe"]

NEWEST_SYNTAX = "F41"
AUTOMATIC_RETURN = "automatic-return"
"""The part with the health check of ``automatic_return``."""
_TREEFILES = (".yaml", ".yml", ".json")


def load_recipe(variant: Variant, params: Path = PARAMS_DIRECTORY) -> Recipe:
    """The recipe of a variant, whose ``selinux`` and ``weak_dependencies`` override the recipe's.

    Raises WorkbookError naming the file, and where possible the line or key, if it is missing or not accepted.
    """
    recipe = _with_ostree_url(_read_recipe(variant, params), variant)
    if recipe.container:
        raise WorkbookError(
            f"{recipe.files[0]}: container: variant {variant.variant!r} boots, but the recipe is of a container image",
            hint="name the treefile in the variant's `container`, and that of the host in `recipe`",
        )
    if variant.weak_dependencies:
        recipe = replace(recipe, weak_dependencies=variant.weak_dependencies == "install")
    return replace(recipe, selinux=variant.selinux) if variant.selinux else recipe


def load_recipes(variant: Variant, params: Path = PARAMS_DIRECTORY) -> tuple[Recipe, ...]:
    """The recipe of a variant, and that of its container image, if it has one; raises WorkbookError as both do."""
    own = load_recipe(variant, params)
    return (own, load_container_recipe(variant, params)) if variant.container else (own,)


def load_container_recipe(variant: Variant, params: Path = PARAMS_DIRECTORY) -> Recipe:
    """The recipe of the variant's container image.

    Raises WorkbookError as ``load_recipe`` does, and for the recipe of a host.
    """
    path = params / "treefiles" / f"{variant.container}.yaml"
    if not path.is_file():
        raise WorkbookError(
            f"variant {variant.variant!r}: container: there is no {path}",
            hint=f"{listing_hint(path)}; leave container empty for no container image",
        )
    recipe = read_recipe(path, roots=(path.parent,))
    if not recipe.container:
        raise WorkbookError(
            f"{path}: container: is not set, but variant {variant.variant!r} makes a container image of this treefile",
            hint="add `container: true`, or name another treefile in the variant's `container`",
        )
    return recipe


def _with_ostree_url(recipe: Recipe, variant: Variant) -> Recipe:
    """The recipe with the variant's address of the commit to deploy."""
    commit = recipe.ostree_source
    if commit and variant.method != "ostree":
        raise WorkbookError(
            f"{commit.source}: ostreesetup: variant {variant.variant!r} has method: {variant.method}",
            hint="set method: ostree in the variant",
        )
    if not commit and (variant.ostree_url or variant.ostree_variant or variant.ostree_key):
        raise WorkbookError(
            f"variant {variant.variant!r}: ostree_url, ostree_variant, ostree_key: there is no ostreesetup in "
            f"{recipe.files[0]}",
            hint="leave these parameters empty: they are for a commit that is deployed",
        )
    if not commit or not variant.ostree_url:
        return recipe
    note = f"{commit.source.rpartition('/')[2]}: ostreesetup: the commit is pulled from elsewhere (ostree_url)"
    return replace(recipe, ostree_source=replace(commit, pulled_from=variant.ostree_url), notes=(*recipe.notes, note))


def _read_recipe(variant: Variant, params: Path) -> Recipe:
    """Read ``params/treefiles/RECIPE.yaml`` (or ``.json``), extended by the variant's parts.

    For a traditional root it may also be the kickstart ``params/kickstarts/RECIPE.ks``. Files that the recipe names
    must be below ``params/treefiles`` or ``params/kickstarts``, or one of the variant's ``recipe_roots``.
    """
    treefiles, kickstarts = params / "treefiles", params / "kickstarts"
    if variant.recipe_file:
        return _read_own_recipe(CHECKOUT / variant.recipe_file, variant, treefiles)
    candidates = [treefiles / f"{variant.recipe}{suffix}" for suffix in (".yaml", ".json")]
    if variant.method == "traditional":
        candidates.append(kickstarts / f"{variant.recipe}.ks")
    found = [path for path in candidates if path.is_file()]
    if len(found) > 1:
        files = " and ".join(map(str, found))
        raise WorkbookError(f"recipe {variant.recipe!r} is ambiguous: there are {files}", hint="rename one of them")
    if not found:
        raise WorkbookError(
            f"variant {variant.variant!r}: no recipe {variant.recipe!r} ({variant.method}): there "
            f"is no {' or '.join(map(str, candidates))}",
            hint=listing_hint(candidates[-1]),
        )
    others = [CHECKOUT / name for name in variant.recipe_roots.split()]
    _refuse_parts_of_a_kickstart(found[0], variant)
    parts = [treefiles / "parts" / f"{name}.yaml" for name in (*variant.parts.split(), *_implied_parts(variant))]
    own = params / ("kickstarts" if found[0].suffix == ".ks" else "treefiles")
    return read_recipe(found[0], variant.kickstart_version, (own, *others), parts)


def _read_own_recipe(path: Path, variant: Variant, treefiles: Path) -> Recipe:
    """A recipe from anywhere, with what the variant's parameters add to it."""
    _refuse_parts_of_a_kickstart(path, variant)
    parts = [treefiles / "parts" / f"{name}.yaml" for name in _implied_parts(variant)]
    return read_recipe(path, variant.kickstart_version, (_root_of(path), treefiles) if parts else (), parts)


def _implied_parts(variant: Variant) -> tuple[str, ...]:
    """The parts that other parameters than ``parts`` add."""
    return (AUTOMATIC_RETURN,) if variant.automatic_return else ()


def _refuse_parts_of_a_kickstart(path: Path, variant: Variant) -> None:
    if path.suffix != ".ks":
        return
    key = "parts" if variant.parts and not variant.recipe_file else "automatic_return"
    if variant.automatic_return or key == "parts":
        raise WorkbookError(
            f"variant {variant.variant!r}: {key}: {path} is a kickstart, but parts extend treefiles only",
            hint=f"leave {key} out, or use a treefile as the recipe",
        )


def read_recipe(
    path: Path, kickstart_version: str = NEWEST_SYNTAX, roots: Sequence[Path] = (), parts: Sequence[Path] = ()
) -> Recipe:
    """The recipe in a file: a treefile (``.yaml``, ``.yml``, ``.json``) with ``parts``, or a kickstart (``.ks``).

    ``roots``: the directories of the files that it may name. Without any: the recipes of this checkout, for one of
    them; otherwise the Git repository that ``path`` is in, or its directory.

    Raises WorkbookError naming file and line or key if it is missing or not accepted, and for another suffix.
    """
    # Import the reader on demand: importing pykickstart takes time.
    if path.suffix == ".ks":
        from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart

        return read_kickstart(path, kickstart_version, roots or (_root_of(path),))
    if path.suffix not in _TREEFILES:
        raise WorkbookError(
            f"{path}: the suffix does not say what it is", hint=f"accepted: {', '.join(_TREEFILES)} or .ks"
        )
    from atomic_lib.recipe.treefile import read_treefile

    return read_treefile(path, parts, roots or (_root_of(path),))


def _root_of(path: Path) -> Path:
    own = (PARAMS_DIRECTORY / "treefiles", PARAMS_DIRECTORY / "kickstarts")
    tops = [parent for parent in Path(os.path.abspath(path)).parents if parent in own or (parent / ".git").exists()]
    return tops[0] if tops else path.parent
