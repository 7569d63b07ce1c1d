"""Resolves the recipes of a study to packages, in a process of its own in the namespace.

``python -m atomic_lib.pipeline.recipe_files.solve_recipes STUDY CONTENT MAKE RESULT`` reads the directory that
``study_of_recipes`` wrote. With ``make`` as MAKE, tools and content are made first if they are missing.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.signals import end_with_parent
from atomic_lib.content.repositories import has_content
from atomic_lib.params.study_file import load_study
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import open_build
from atomic_lib.pipeline.recipe_files.own_recipes import STUDY
from atomic_lib.solve.recipe_packages import recipe_packages
from atomic_lib.tools.tools_tree import find_tools

MAKE, FIND = "make", "find"


def main(words: Sequence[str]) -> int:
    """Write what the recipes resolve to, or why they do not, as JSON; returns the exit status 0."""
    end_with_parent()
    study, content, make, result = words
    try:
        found: object = _packages_of(Path(study), content, make=make == MAKE)
    except WorkbookError as error:
        found = {"message": error.message, "hint": error.hint, "log": error.log}
    Path(result).write_text(json.dumps(found))
    return 0


def _packages_of(params: Path, content: str, *, make: bool) -> list[list[object]]:
    variants = [load_variant(name, params, {"content": content}) for name in load_study(STUDY, params).variants]
    if not make and not find_tools(cache_directory()):
        raise _not_made(content)
    builds = [open_build(variant) for variant in variants]
    for build in builds:
        build.require_resolved()
    if not make and not all(has_content(content, build.context, build.demand) for build in builds):
        raise _not_made(content)
    solved = [recipe_packages(build.recipe, build.content, build.context.tools) for build in builds]
    return [[asdict(package) for package in packages.values()] for packages in solved]


def _not_made(content: str) -> WorkbookError:
    return WorkbookError(
        f"content {content!r} is not made yet", hint="./workbook diff --only packages makes it first (minutes)"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
