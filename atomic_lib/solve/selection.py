"""The packages of a set that words select: names, shell patterns and ``@group``."""

import re
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.comps import Comps
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.why import not_in_set
from atomic_lib.solve.group_members import group_members


def matching(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """The names that match any of the shell patterns, sorted."""
    all_patterns = list(patterns)
    return sorted(name for name in names if any(fnmatchcase(name, pattern) for pattern in all_patterns))


def groups_expanded(words: Iterable[str], in_set: Collection[str], comps: Callable[[], Iterable[Comps]]) -> list[str]:
    """The words, sorted, each ``@group`` replaced by its packages in the set; ``in_set``: the names of the set.

    Raises WorkbookError for an unknown group, and if nothing is selected.
    """
    unique = set(words)
    groups = [word.removeprefix("@") for word in unique if word.startswith("@")]
    wanted = Recipe(files=(Path("what would leave"),), packages=(), groups=tuple(groups))
    members = group_members(comps(), wanted).among(in_set, in_set) if groups else []
    selected = {word for word in unique if not word.startswith("@")} | set(members)
    if not selected:
        raise WorkbookError(
            f"{' '.join(sorted(unique)) or 'no name'}: nothing of it is in the set", hint="name a package of the set"
        )
    return sorted(selected)


def require_in_set(patterns: Iterable[str], in_set: Collection[str], in_content: Callable[[], Iterable[str]]) -> None:
    """Raise WorkbookError for the first name or pattern that matches no package of the set.

    ``in_content`` returns the names of all packages that the content has.
    """
    for pattern in patterns:
        if not re.fullmatch(r"[^-\s,][^\s,]*", pattern):
            raise WorkbookError(f"{pattern!r} is not a package name", hint="give names or shell patterns, one a word")
        if matching([pattern], in_set):
            continue
        if matching([pattern], in_content()):
            raise WorkbookError(
                f"{pattern!r} fits no package of the set: the content has it, but it is not installed",
                hint=not_in_set(pattern, in_set).hint,
            )
        raise not_in_set(pattern, in_set)
