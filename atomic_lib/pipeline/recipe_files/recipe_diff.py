"""``./workbook diff``: how two recipes differ, in their entries and in the packages that dnf resolves them to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.content.definition import load_definition
from atomic_lib.pipeline.failures import explained
from atomic_lib.pipeline.recipe_files.entry_differences import EntryDifference, entry_differences
from atomic_lib.pipeline.recipe_files.package_differences import (
    PackageDifferences,
    package_differences,
    package_lines,
)
from atomic_lib.recipe.load import read_recipe

Part = Literal["entries", "packages"]


def diff(paths: Sequence[str], *, only: Part | None, content: str, as_json: bool) -> int:
    """Print how two recipes differ; returns the exit status: 0 if they do not, 1 if they do.

    Without ``only``, packages are compared if the entries differ (the same entries have the same packages), tools and
    content are in the cache, and both recipes can be resolved; if not, a line on standard error says why.

    Raises WorkbookError as ``read_recipe`` does, for an unknown content and, with ``only="packages"``, as
    ``package_differences`` does.
    """
    recipes = [read_recipe(Path(path)) for path in paths]
    load_definition(content)
    entries = entry_differences(*recipes) if only != "packages" else []
    packages, reason = None, ""
    if only == "packages":
        packages = package_differences(recipes, content, make=True)
    elif entries and only is None:
        try:
            packages = package_differences(recipes, content, make=False)
        except WorkbookError as error:
            reason = str(error)
        except OSError as error:
            reason = str(explained(error))
    differ = bool(entries) or bool(packages and packages.found)
    if as_json:
        print(json.dumps(_data(paths, entries, packages, reason), indent=1))
    else:
        said = [*map(str, entries), *(package_lines(packages) if packages else ())]
        print("\n".join([f"- {paths[0]}", f"+ {paths[1]}", *said]) if differ else "\n".join(["no difference", *said]))
        if reason:
            say(f"! resolved packages are not compared: {reason}")
    return 1 if differ else 0


def _data(
    paths: Sequence[str], entries: Sequence[EntryDifference], packages: PackageDifferences | None, reason: str
) -> Mapping[str, object]:
    """The differences as JSON data; ``packages`` is null where they are not compared."""
    return {
        "recipes": list(paths),
        "entries": [asdict(entry) for entry in entries],
        "packages": asdict(packages) if packages else None,
        "packages_not_compared": reason or None,
    }
