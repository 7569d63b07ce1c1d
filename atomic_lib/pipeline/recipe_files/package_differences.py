"""How the packages that two recipes resolve to differ, by dnf's solver."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.scrub import COPIED_FILES
from atomic_lib.params.study_file import load_study
from atomic_lib.pipeline.namespace_process import run_module
from atomic_lib.pipeline.recipe_files import solve_recipes
from atomic_lib.pipeline.recipe_files.own_recipes import STUDY, study_of_recipes, top_of
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.report.elements.values import plural, quantity, signed
from atomic_lib.solve.solver import Solved

_LIMIT_SECONDS = 3600


@dataclass(frozen=True)
class PackageDifferences:
    """The packages of only one of two recipes, by name, and those of both with another version or architecture.

    ``counts`` and ``installed_bytes``: of all packages of each recipe.
    """

    content: str
    only_first: tuple[Solved, ...]
    only_second: tuple[Solved, ...]
    changed: tuple[tuple[Solved, Solved], ...]
    counts: tuple[int, int]
    installed_bytes: tuple[int, int]

    @property
    def found(self) -> bool:
        """Whether the packages differ."""
        return bool(self.only_first or self.only_second or self.changed)


def package_differences(recipes: Sequence[Recipe], content: str, *, make: bool) -> PackageDifferences:
    """Resolve two recipes, and compare the packages.

    ``make``: make tools and content first if they are not in the cache. Raises WorkbookError if they are not there,
    the namespace cannot be entered, or a recipe cannot be resolved.
    """
    paths = [str(recipe.files[0]) for recipe in recipes]
    study = study_of_recipes(paths)
    with tempfile.TemporaryDirectory(prefix=".", dir=study.parent) as scratch:  # where the namespace may write
        log, result = Path(scratch, "log"), Path(scratch, "result.json")
        words = [str(study), content, solve_recipes.MAKE if make else solve_recipes.FIND, str(result)]
        try:
            run_module(solve_recipes.__name__, words, log=log, timeout_seconds=_LIMIT_SECONDS, shown=["resolve"])
        except CommandError as error:
            raise WorkbookError("the recipes cannot be resolved", log=error.log) from None
        found = json.loads(result.read_text())
    if isinstance(found, dict):
        texts = {name: _with_own_paths(text, study, recipes) for name, text in found.items()}
        raise WorkbookError(texts.pop("message"), **texts)
    first, second = ({package["name"]: Solved(**package) for package in packages} for packages in found)
    return compared(first, second, content)


def compared(first: Mapping[str, Solved], second: Mapping[str, Solved], content: str) -> PackageDifferences:
    """The differences of two sets of packages by name."""
    both = [(first[name], second[name]) for name in sorted(first.keys() & second.keys())]
    return PackageDifferences(
        content=content,
        only_first=tuple(first[name] for name in sorted(first.keys() - second.keys())),
        only_second=tuple(second[name] for name in sorted(second.keys() - first.keys())),
        changed=tuple((one, other) for one, other in both if one.nevra != other.nevra),
        counts=(len(first), len(second)),
        installed_bytes=(_installed_bytes(first), _installed_bytes(second)),
    )


def package_lines(differences: PackageDifferences) -> list[str]:
    """A line for each package, as ``diff`` prints it, and one with the totals."""
    one, other = differences.installed_bytes
    totals = [
        f"{plural(count, 'package')} ({quantity(size, 'bytes')} installed)"
        for count, size in zip(differences.counts, differences.installed_bytes, strict=True)
    ]
    verdict = f"{totals[0]} and {totals[1]}, {signed(other - one, 'bytes')}" if differences.found else totals[0]
    return [
        *(f"- resolved: {package.nevra} ({quantity(package.installed_bytes, 'bytes')})"
          for package in differences.only_first),
        *(f"+ resolved: {package.nevra} ({quantity(package.installed_bytes, 'bytes')})"
          for package in differences.only_second),
        *(f"± resolved: {one.nevra} → {other.nevra} ({signed(other.installed_bytes - one.installed_bytes, 'bytes')})"
          for one, other in differences.changed),
        f"{'resolved to' if differences.found else 'both resolved to the same'} {verdict}, "
        f"from content {differences.content}",
    ]  # fmt: skip


def _installed_bytes(packages: Mapping[str, Solved]) -> int:
    return sum(package.installed_bytes for package in packages.values())


def _with_own_paths(text: str, study: Path, recipes: Sequence[Recipe]) -> str:
    """The text with the paths of the recipes, not of their copies."""
    for name, recipe in zip(load_study(STUDY, study).variants, recipes, strict=True):
        text = text.replace(f"{study / COPIED_FILES / name}{os.sep}", f"{top_of(recipe)}{os.sep}")
    return text
