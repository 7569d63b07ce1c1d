"""The options of commands that load variants, and the parameters that they set."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.variant import Variant


def add_content_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where packages come from."""
    parser.add_argument("--content", metavar="NAME", help="packages from params/content/NAME.yaml (standin)")
    parser.add_argument(
        "--strict", action="store_true", help="refuse a recipe that names packages that stand-in content lacks"
    )
    parser.add_argument("--copies", metavar="DIRECTORY", help=argparse.SUPPRESS)  # from ``with_copies``


def variant_of(options: argparse.Namespace, name: str) -> Variant:
    """The variant of a name, or of the path of a recipe, with these parameters.

    Raises WorkbookError as ``variants_named`` does.
    """
    from atomic_lib.pipeline.recipe_files.own_recipes import variants_named

    return variants_named([name], copies_of(options), overrides_of(options))[0]


def copies_of(options: argparse.Namespace) -> Path | None:
    """Where copies of the recipes are that a command names by their paths; None: nowhere."""
    return Path(options.copies) if options.copies else None


def overrides_of(options: argparse.Namespace) -> dict[str, object]:
    """The parameters that options of their own set."""
    lock = vars(options).get("lock")
    overrides = {
        "content": options.content,
        "strict": options.strict,
        "lock": str(Path(lock).absolute()) if lock else None,
    }
    return {key: value for key, value in overrides.items() if value}


def parse_overrides(assignments: Sequence[str]) -> dict[str, object]:
    """The parameters in ``KEY=VALUE`` words; values are YAML scalars, as in a parameter file.

    Raises WorkbookError naming the word that is not an assignment.
    """
    overrides: dict[str, object] = {}
    for word in assignments:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise WorkbookError(f"--set {word}: must be KEY=VALUE", hint="for example --set boots_bios=3")
        try:
            overrides[key] = yaml.safe_load(value) if value else ""
        except yaml.YAMLError:
            hint = f"put the value in quotes: --set '{key}=\"...\"'"
            raise WorkbookError(f"--set {word}: the value is not a YAML scalar", hint=hint) from None
    return overrides
