"""The commands that read recipes and build nothing: ``check``, ``show``, ``diff`` and ``convert``."""

import argparse
from typing import Any

NAMES = ("check", "show", "diff", "convert")
_CONTENT = "resolve packages from params/content/NAME.yaml (standin)"
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
    diff = commands.add_parser(
        "diff",
        help="show how two recipes differ, in entries and in the packages that dnf resolves them to",
        epilog="Packages are compared where the content has been made; --only packages makes it first, which takes "
        "minutes. Exit status: 0: no difference, 1: they differ, 2: a recipe cannot be read or, with --only packages, "
        "not be resolved.",
    )
    diff.add_argument("recipes", nargs=2, metavar="RECIPE", help=_RECIPE)
    diff.add_argument("--only", choices=("entries", "packages"), help="compare only the entries, or only the packages")
    diff.add_argument("--content", metavar="NAME", default="standin", help=_CONTENT)
    diff.add_argument("--json", action="store_true", help="as JSON")
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
    from atomic_lib.base.errors import WorkbookError
    from atomic_lib.base.progress import say
    from atomic_lib.pipeline.failures import explained
    from atomic_lib.pipeline.recipe_files.recipe_diff import diff

    try:
        return diff(options.recipes, only=options.only, content=options.content, as_json=options.json)
    except (WorkbookError, OSError) as error:
        say(f"error: {explained(error)}")
        return 2  # as diff(1): they may be equal or not


def _convert(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.recipe_files.conversion import convert

    return convert(options.recipe)
