"""Loads the recipe of a variant from its treefile or kickstart."""

from dataclasses import replace
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, PARAMS_DIRECTORY
from atomic_lib.params.variant import Variant
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.recipe.source import listing_hint

__all__ = ["PostScript", "Recipe", "load_recipe"]


def load_recipe(variant: Variant, params: Path = PARAMS_DIRECTORY) -> Recipe:
    """The recipe of a variant; the variant's ``selinux`` overrides the recipe's.

    Raises WorkbookError naming the file, and where possible the line or key, if it is missing or not accepted.
    """
    recipe = _read_recipe(variant, params)
    return replace(recipe, selinux=variant.selinux) if variant.selinux else recipe


def _read_recipe(variant: Variant, params: Path) -> Recipe:
    """Read ``params/treefiles/CONTENT/RECIPE.yaml`` (or ``.json``), extended by the variant's parts.

    For a traditional root it may also be the kickstart ``params/kickstarts/CONTENT/RECIPE.ks``. Files that the
    recipe names must be below ``params/treefiles`` or ``params/kickstarts``, or one of the variant's ``recipe_roots``.
    """
    treefiles, kickstarts = params / "treefiles" / variant.content, params / "kickstarts" / variant.content
    candidates = [treefiles / f"{variant.recipe}{suffix}" for suffix in (".yaml", ".json")]
    if variant.method == "traditional":
        candidates.append(kickstarts / f"{variant.recipe}.ks")
    found = [path for path in candidates if path.is_file()]
    if len(found) > 1:
        files = " and ".join(map(str, found))
        raise WorkbookError(f"recipe {variant.recipe!r} is ambiguous: there are {files}", hint="rename one of them")
    if not found:
        raise WorkbookError(
            f"variant {variant.variant!r}: no recipe {variant.recipe!r} ({variant.method}, content "
            f"{variant.content!r}): there is no {' or '.join(map(str, candidates))}",
            hint=listing_hint(candidates[-1]),
        )
    others = [CHECKOUT / name for name in variant.recipe_roots.split()]
    # Import the reader on demand: importing pykickstart takes time.
    if found[0].suffix == ".ks":
        if variant.parts:
            raise WorkbookError(
                f"variant {variant.variant!r}: parts: {found[0]} is a kickstart, but parts extend treefiles only",
                hint="leave parts empty, or use a treefile as the recipe",
            )
        from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart

        return read_kickstart(found[0], variant.kickstart_version, (params / "kickstarts", *others))
    from atomic_lib.recipe.treefile import read_treefile

    parts = [treefiles / "parts" / f"{name}.yaml" for name in variant.parts.split()]
    return read_treefile(found[0], parts, (params / "treefiles", *others))
