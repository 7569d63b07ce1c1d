"""What to install and how to shape the tree: treefiles and kickstarts become one ``Recipe``."""

from dataclasses import replace
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.params.variant import Variant
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.recipe.source import listing_hint

__all__ = ["PostScript", "Recipe", "load_recipe"]


def load_recipe(variant: Variant, params: Path = PARAMS_DIRECTORY) -> Recipe:
    """The recipe of a variant, with what the variant itself says over it (``selinux``).

    Raises WorkbookError: not there, or not accepted.
    """
    recipe = _read_recipe(variant, params)
    return replace(recipe, selinux=variant.selinux) if variant.selinux else recipe


def _read_recipe(variant: Variant, params: Path) -> Recipe:
    """The recipe as its files say.

    The treefile ``params/treefiles/CONTENT/RECIPE.yaml`` (or ``.json``) with the variant's parts
    over it; for a traditional root the kickstart ``params/kickstarts/CONTENT/RECIPE.ks``, if there
    is one of that name.
    """
    treefiles, kickstarts = params / "treefiles" / variant.content, params / "kickstarts" / variant.content
    places = [treefiles / f"{variant.recipe}{suffix}" for suffix in (".yaml", ".json")]
    if variant.method == "traditional":
        places.append(kickstarts / f"{variant.recipe}.ks")
    found = [path for path in places if path.is_file()]
    if len(found) > 1:
        raise WorkbookError(f"recipe {variant.recipe!r} is ambiguous: there are {' and '.join(map(str, found))}")
    if not found:
        raise WorkbookError(
            f"variant {variant.variant!r}: no recipe {variant.recipe!r} ({variant.method}, content "
            f"{variant.content!r}): there is no {' or '.join(map(str, places))}",
            hint=listing_hint(places[-1]),
        )
    # Read on demand: who only composes from treefiles does not wait for pykickstart.
    if found[0].suffix == ".ks":
        if variant.parts:
            raise WorkbookError(
                f"variant {variant.variant!r}: parts: {found[0]} is a kickstart, and parts lie over treefiles",
                hint="leave parts empty, or name a treefile as the recipe",
            )
        from atomic_lib.recipe.kickstart import read_kickstart

        return read_kickstart(found[0], variant.kickstart_version)
    from atomic_lib.recipe.treefile import read_treefile

    return read_treefile(found[0], [treefiles / "parts" / f"{name}.yaml" for name in variant.parts.split()])
