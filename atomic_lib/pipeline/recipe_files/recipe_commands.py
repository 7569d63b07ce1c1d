"""The commands that read recipes and build nothing: ``check``, ``show``, ``diff`` and ``convert``."""

import argparse
from typing import Any

NAMES = ("check", "show", "diff", "convert")
_RECIPE = "a treefile (.yaml, .yml, .json) or a kickstart (.ks)"


def add_commands(commands: Any) -> None:
    """Add the parsers of these commands to argparse's sub-parsers; each sets ``call``, which runs the command."""
    check = commands.add_parser("check", help="read recipes, or all parameters, and say what is wrong")
    check.add_argument("paths", nargs="*", metavar="RECIPE", help=f"{_RECIPE}; without one: all of params")
    check.set_defaults(call=_check)
    show = commands.add_parser("show", help="show a recipe with all that it includes, and where each entry comes from")
    show.add_argument("recipe", metavar="RECIPE", help=_RECIPE)
    show.add_argument("--json", action="store_true", help="as JSON")
    show.set_defaults(call=_show)
    diff = commands.add_parser("diff", help="show how two recipes differ")
    diff.add_argument("recipes", nargs=2, metavar="RECIPE", help=_RECIPE)
    diff.set_defaults(call=_diff)
    convert = commands.add_parser("convert", help="print a kickstart as a treefile, or the other way round")
    convert.add_argument("recipe", metavar="RECIPE", help=_RECIPE)
    convert.set_defaults(call=_convert)


def _check(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.recipe_files.recipe_words import check

    return check(options.paths)


def _show(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.recipe_files.recipe_words import show

    return show(options.recipe, as_json=options.json)


def _diff(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.recipe_files.recipe_words import diff

    return diff(*options.recipes)


def _convert(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.recipe_files.conversion import convert

    return convert(options.recipe)
