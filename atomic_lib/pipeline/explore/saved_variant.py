"""Writes explored choices as a variant of its own: its parameters, its recipe, and a study that compares it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, PARAMS_DIRECTORY
from atomic_lib.params.schema import read_yaml_mapping
from atomic_lib.params.study_file import load_study
from atomic_lib.params.variant import Variant, load_variant, variant_from, variant_names
from atomic_lib.pipeline.explore.choices import Choices, changed_recipe, part_file, words_of
from atomic_lib.pipeline.explore.explorer import Exploration
from atomic_lib.pipeline.explore.recipe_rewriting import Removed, saved_kickstart, saved_treefiles
from atomic_lib.pipeline.recipe_files.own_recipes import is_recipe
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.without import reduced_recipe
from atomic_lib.solve.group_members import group_members

_DATA_SOURCES = {"ignition": "ignition", "credentials": "credentials"}
_NOT_INHERITED = ("variant", "description", "recipe", "recipe_file", "parts", "disk_name", "lock", "recipe_roots")
_COMPARED = ("packages", "groups", "excludes", "documentation", "weak_dependencies", "enabled_units")


@dataclass(frozen=True)
class SavedVariant:
    """A variant that was written: its name, also that of its study, and its files by their paths in the checkout."""

    name: str
    files: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command that builds and compares it."""
        return f"./workbook run {self.name}"


def save_variant(name: str, exploration: Exploration, params: Path = PARAMS_DIRECTORY) -> SavedVariant:
    """Write the variant ``name``, so that ``./workbook run NAME`` builds it and compares it with the variant explored.

    Raises WorkbookError for a name that is not accepted or taken, and if the files would not say what was explored, and
    OSError if they cannot be written. Then no file is left.
    """
    base, choices = exploration.variant, exploration.choices
    values = _parameters(name, base, choices, params)
    variant_from({**read_yaml_mapping(params / "base.yaml"), **values}, f"variant {name!r}")
    if is_recipe(name):
        raise WorkbookError(
            f"variant {name!r}: ./workbook takes it for the path of a recipe", hint="choose another name"
        )
    whole = load_recipe(base, params)
    target = _target(whole, exploration, params)
    removed = Removed(
        packages=frozenset(whole.packages) - frozenset(target.packages),
        excludes=frozenset(whole.excludes) - frozenset(target.excludes),
        units=frozenset(whole.enabled_units) - frozenset(target.enabled_units),
        files=frozenset(path.resolve() for old, _ in choices.parts(base) if (path := part_file(old, params))),
    )
    if whole.files[0].suffix == ".ks":
        recipe_files = saved_kickstart(name, whole, target, choices.parts(base), params)
    else:
        recipe_files = saved_treefiles(name, whole, target, removed, _parts(base, choices, params), params)
    study = _study(name, base, params)
    files = {
        **recipe_files,
        params / "variants" / f"{name}.yaml": _yaml(f"Made in notebooks/explore.ipynb from {base.variant}.", values),
        params / "studies" / f"{name}.yaml": _yaml(f"Compares {name} with what it was made from.", study),
    }
    with _written(files):
        _require_equal(load_recipe(load_variant(name, params), params), target, name)
        load_study(name, params)
    return SavedVariant(name, tuple(os.path.relpath(path, CHECKOUT) for path in files))


def _target(whole: Recipe, exploration: Exploration, params: Path) -> Recipe:
    """The recipe to write; a treefile names no groups, so it gets their packages."""
    after, choices = exploration.after, exploration.choices
    recipe = changed_recipe(whole, exploration.variant, choices, params)
    excluded = [word for word in after.recipe.excludes if word not in whole.excludes]
    recipe = reduced_recipe(recipe, excluded, after.removed, ())
    recipe = replace(recipe, excludes=tuple(word for word in recipe.excludes if word not in after.lifted))
    if recipe.files[0].suffix == ".ks" or not recipe.groups:
        return recipe
    members = group_members(after.comps, recipe).among(after.packages, after.graph.providers)
    return replace(recipe, groups=(), packages=tuple(dict.fromkeys((*recipe.packages, *members))))


def _parts(base: Variant, choices: Choices, params: Path) -> list[Path]:
    """The parts that the saved treefile includes: those of the variant, and those of the choices."""
    old = {name for name, _ in choices.parts(base)}
    new = [path for _, name in choices.parts(base) if (path := part_file(name, params))]
    kept = [params / "treefiles/parts" / f"{name}.yaml" for name in base.parts.split() if name not in old]
    return [*kept, *new]


def _parameters(name: str, base: Variant, choices: Choices, params: Path) -> dict[str, object]:
    """The parameters that differ from ``params/base.yaml``."""
    defaults = read_yaml_mapping(params / "base.yaml")
    inherited = {
        key: value
        for key, value in base.model_dump().items()
        if key not in _NOT_INHERITED and value != defaults.get(key, "")
    }
    agent = choices.agent or base.agent
    chosen: dict[str, object] = {"agent": agent, "runtime": choices.runtime or base.runtime}
    if choices.agent and choices.agent != base.agent:
        chosen["data_source"] = _DATA_SOURCES.get(agent, "ec2")
    if choices.content:
        chosen["content"] = choices.content
    if choices.weak_dependencies is not None:
        chosen["weak_dependencies"] = "install" if choices.weak_dependencies else "omit"
    changes = ", ".join(words_of(choices)) or "unchanged"
    description = f"{base.variant} with {changes}"
    return {"variant": name, "description": description, "recipe": name, **inherited, **chosen}


def _study(name: str, base: Variant, params: Path) -> dict[str, object]:
    known = base.variant in variant_names(params)
    variants = [base.variant, name] if known else [name]
    return {"study": name, "title": f"{name}, made in JupyterLab", "variants": variants, "baseline": variants[0]}


def _yaml(comment: str, values: Mapping[str, object]) -> str:
    return f"# {comment}\n{yaml.safe_dump(dict(values), sort_keys=False, width=110)}"


@contextmanager
def _written(files: Mapping[Path, str]) -> Iterator[None]:
    """Write all files, for good if the block succeeds, else none: raises WorkbookError for one that exists already."""
    taken = [path for path in files if path.exists()]
    if taken:
        raise WorkbookError(f"{os.path.relpath(taken[0], CHECKOUT)} exists already", hint="choose another name")
    written = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
        yield
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _require_equal(written: Recipe, target: Recipe, name: str) -> None:
    for field in _COMPARED:
        one, other = getattr(written, field), getattr(target, field)
        if (set(one) != set(other)) if isinstance(one, tuple) else one != other:
            difference = set(one) ^ set(other) if isinstance(one, tuple) else {one, other}
            raise WorkbookError(
                f"variant {name!r} is not saved: its recipe would not say what was explored ({field}: "
                f"{', '.join(sorted(map(str, difference)))})",
                hint="write the recipe by hand: README.md, Compare a variant of your own",
            )
