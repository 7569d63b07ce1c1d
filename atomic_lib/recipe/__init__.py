"""What to install and how to shape the tree: treefiles and kickstarts become one ``Recipe``."""

from pathlib import Path

from atomic_lib.errors import WorkbookError
from atomic_lib.params import PARAMS_DIRECTORY, Variant
from atomic_lib.recipe.model import PostScript, Recipe
from atomic_lib.recipe.source import listing_hint

__all__ = ["PostScript", "Recipe", "load_recipe"]


def load_recipe(variant: Variant, params: Path = PARAMS_DIRECTORY) -> Recipe:
    """The recipe of a variant, by its method.

    ostree: ``params/treefiles/CONTENT/RECIPE.yaml`` (or ``.json``); traditional:
    ``params/kickstarts/CONTENT/RECIPE.ks``. Raises WorkbookError: not there, or not accepted.
    """
    # Read on demand: who only composes from treefiles does not wait for pykickstart.
    if variant.method == "ostree":
        from atomic_lib.recipe.treefile import read_treefile

        return read_treefile(_recipe_path(variant, params / "treefiles", (".yaml", ".json")))
    from atomic_lib.recipe.kickstart import read_kickstart

    return read_kickstart(_recipe_path(variant, params / "kickstarts", (".ks",)), variant.kickstart_version)


def _recipe_path(variant: Variant, directory: Path, suffixes: tuple[str, ...]) -> Path:
    paths = [directory / variant.content / f"{variant.recipe}{suffix}" for suffix in suffixes]
    found = [path for path in paths if path.is_file()]
    if len(found) > 1:
        raise WorkbookError(f"recipe {variant.recipe!r} is ambiguous: there are {' and '.join(map(str, found))}")
    if not found:
        raise WorkbookError(
            f"variant {variant.variant!r}: no recipe {variant.recipe!r} ({variant.method}, content "
            f"{variant.content!r}): there is no {' or '.join(map(str, paths))}",
            hint=listing_hint(paths[0]),
        )
    return found[0]
