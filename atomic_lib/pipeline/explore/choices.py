"""Choices that change a variant, and the recipe that they make of the variant's own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Agent, Runtime
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.content.comps import Comps
from atomic_lib.content.definition import load_definition
from atomic_lib.content.repositories import Content
from atomic_lib.params.schema import closest
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.recipe_files.own_recipes import RUNTIMES
from atomic_lib.recipe.load import read_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.group_members import group_members
from atomic_lib.solve.words import EXCLUDED, INSTALLED

AGENTS, RUNTIME_NAMES = get_args(Agent), get_args(Runtime)
_WITHOUT_PART = ("credentials", "none", "")
"""The agent and the runtime that no package brings."""


@dataclass(frozen=True)
class Choices:
    """What to change of a variant; None: as the variant has it.

    ``add`` and ``exclude``: packages, and groups with a leading ``@``; ``exclude`` takes shell patterns, too.
    """

    add: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    documentation: bool | None = None
    weak_dependencies: bool | None = None
    agent: str | None = None
    runtime: str | None = None
    content: str | None = None

    def check(self) -> None:
        """Raise WorkbookError for a word, an agent, a runtime or a content that is not accepted."""
        for name, words, accepted in (("add", self.add, INSTALLED), ("exclude", self.exclude, EXCLUDED)):
            wrong = [word for word in words if not accepted.fullmatch(word.removeprefix("@"))]
            if wrong:
                raise WorkbookError(
                    f"{name}: {wrong[0]!r} is not the name of a package", hint="name packages or @groups"
                )
        for name, value, known in (("agent", self.agent, AGENTS), ("runtime", self.runtime, RUNTIME_NAMES)):
            if value is not None and value not in known:
                hint = f"accepted: {', '.join(known)}"
                raise WorkbookError(f"{name}: {value!r} is not accepted{closest(value, known)}", hint=hint)
        if self.content is not None:
            load_definition(self.content)

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages to add."""
        return tuple(word for word in self.add if not word.startswith("@"))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups to add, without their ``@``."""
        return tuple(word.removeprefix("@") for word in self.add if word.startswith("@"))

    def parts(self, variant: Variant) -> list[tuple[str, str]]:
        """The parts that are exchanged: for agent and runtime the variant's own one, and the new one."""
        chosen = ((variant.agent, self.agent), (variant.runtime, self.runtime))
        return [(old, new) for old, new in chosen if new is not None and new != old]


def changed_recipe(recipe: Recipe, variant: Variant, choices: Choices, params: Path = PARAMS_DIRECTORY) -> Recipe:
    """The recipe with the choices, but without ``exclude``, which dnf's solver has to find the consequences of."""
    for old, new in choices.parts(variant):
        recipe = _with_part(_without_part(recipe, old, params), new, params)
    settings = {"documentation": choices.documentation, "weak_dependencies": choices.weak_dependencies}
    return replace(
        recipe,
        packages=_joined(recipe.packages, choices.packages),
        groups=_joined(recipe.groups, choices.groups),
        **{name: value for name, value in settings.items() if value is not None},  # type: ignore[arg-type]
    )


def part_file(name: str, params: Path = PARAMS_DIRECTORY) -> Path | None:
    """The treefile that brings an agent or a runtime; None for one that needs no package."""
    return None if name in _WITHOUT_PART else params / "treefiles/parts" / f"{name}.yaml"


def excluded_names(choices: Choices, comps: Iterable[Comps]) -> tuple[str, ...]:
    """The names and patterns to exclude, each ``@group`` as its packages; raises WorkbookError for an unknown group."""
    groups = tuple(word.removeprefix("@") for word in choices.exclude if word.startswith("@"))
    source = Recipe(files=(Path("exclude"),), packages=(), groups=groups)
    members = group_members(comps, source).packages if groups else ()
    return (*(word for word in choices.exclude if not word.startswith("@")), *members)


def require_counterparts(choices: Choices, content: Content) -> None:
    """Raise WorkbookError for a package to add that stand-in content has no counterpart for."""
    for one in content.missing:
        if one.name in choices.add:
            close = f"; similar: {', '.join(one.similar)}" if one.similar else ""
            raise WorkbookError(
                f"add: content {content.name!r} has no package {one.name!r}{close}",
                hint="correct the name, or choose another content",
            )


def _without_part(recipe: Recipe, name: str, params: Path) -> Recipe:
    """The recipe without what the part brings."""
    path = part_file(name, params)
    if path is None:
        return recipe
    part = read_recipe(path)
    packages = {*part.packages, *RUNTIMES.get(name, (name,))}
    texts = {script.text for script in part.post_scripts}
    return replace(
        recipe,
        packages=_left(recipe.packages, packages),
        enabled_units=_left(recipe.enabled_units, part.enabled_units),
        wanted_units=_left(recipe.wanted_units, part.wanted_units),
        initramfs_arguments=_left(recipe.initramfs_arguments, part.initramfs_arguments),
        post_scripts=tuple(script for script in recipe.post_scripts if script.text not in texts),
    )


def _with_part(recipe: Recipe, name: str, params: Path) -> Recipe:
    path = part_file(name, params)
    if path is None:
        return recipe
    part = read_recipe(path)
    return replace(
        recipe,
        packages=_joined(recipe.packages, part.packages),
        enabled_units=_joined(recipe.enabled_units, part.enabled_units),
        wanted_units=_joined(recipe.wanted_units, part.wanted_units),
        initramfs_arguments=_joined(recipe.initramfs_arguments, part.initramfs_arguments),
        post_scripts=(*recipe.post_scripts, *part.post_scripts),
    )


def _left(entries: Iterable[str], removed: Iterable[str]) -> tuple[str, ...]:
    gone = set(removed)
    return tuple(entry for entry in entries if entry not in gone)


def _joined(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def words_of(choices: Choices) -> Iterator[str]:
    """The choices as the arguments of ``answer``, for whoever types them."""
    for name, value in vars(choices).items():
        if value not in (None, ()):
            yield f"{name}={list(value) if isinstance(value, tuple) else value!r}"
