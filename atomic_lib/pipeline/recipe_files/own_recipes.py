"""Recipes from anywhere as variants: each gets the defaults of ``params/base.yaml``, and they form a study.

A copy of each recipe, with all files that it names, goes below ``build/recipes``, under the hash of their content, so
that the build can be repeated after the recipe has changed, and no result contains a path of the user's.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path

import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, PARAMS_DIRECTORY
from atomic_lib.base.scrub import COPIED_FILES, COPIES
from atomic_lib.compose.settings.recipe_files import put_files
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.params.study_file import load_study
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.recipe.load import read_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.treefile_rules.finalize_programs import FOLDER as FINALIZE
from atomic_lib.recipe.treefile_rules.overlay_directories import OVERLAYS

STUDY = "recipes"
_SUFFIXES = (".yaml", ".yml", ".json", ".ks")
RUNTIMES = {"docker": ("docker", "docker.io", "docker-ce", "moby-engine", "docker-cli"), "podman": ("podman",)}
"""The packages that bring a container runtime."""
_AGENTS = ("min-cloud-agent", "ignition", "cloud-init")


def is_recipe(word: str) -> bool:
    """Whether a word of the command line is the path of a recipe, not the name of a variant or study."""
    return word.endswith(_SUFFIXES) or os.sep in word


def variants_named(
    words: Sequence[str], copies: Path | None = None, overrides: Mapping[str, object] | None = None
) -> list[Variant]:
    """The variants of words, each once: a name in ``params/variants``, or the path of a recipe.

    ``copies``: the study of the recipes among them, if ``study_of_recipes`` has written it already. Raises
    WorkbookError as ``load_variant`` and ``read_recipe`` do, and for two variants of one name.
    """
    words = list(dict.fromkeys(words))
    recipes = [word for word in words if is_recipe(word)]
    params = copies or (study_of_recipes(recipes) if recipes else PARAMS_DIRECTORY)
    names = dict(zip(recipes, load_study(STUDY, params).variants, strict=True)) if recipes else {}
    variants = [
        load_variant(names.get(word, word), params if word in names else PARAMS_DIRECTORY, overrides) for word in words
    ]
    known: dict[str, str] = {}
    for word, variant in zip(words, variants, strict=True):
        if variant.variant in known:
            raise WorkbookError(
                f"{known[variant.variant]} and {word}: both are called {variant.variant}", hint="name one at a time"
            )
        known[variant.variant] = word
    return variants


def study_of_recipes(paths: Sequence[str], *, build: Path | None = None) -> Path:
    """Write a study of recipes, compared with the first; returns its directory, which is as ``params``.

    Raises WorkbookError as ``read_recipe`` does, before anything is written.
    """
    recipes = [read_recipe(Path(path)) for path in paths]
    names = _names(paths)
    digest = hashlib.sha256((PARAMS_DIRECTORY / "base.yaml").read_bytes())
    for name, recipe in zip(names, recipes, strict=True):
        digest.update(repr((name, _said(recipe))).encode())
        for path in recipe.files:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    directory = (build or BUILD) / COPIES / digest.hexdigest()[:16]
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=directory.parent) as scratch:
            whole = Path(scratch, directory.name)
            _write(whole, directory, names, recipes)
            try:
                whole.rename(directory)
            except OSError:
                if not directory.exists():  # else another process was first
                    raise
    return directory


def copied_lock(lock: Path, *, build: Path | None = None) -> Path:
    """A copy of a lock file below ``build/recipes``, under the hash of its content; errors name it without that."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    copy = (build or BUILD) / COPIES / digest / COPIED_FILES / "lock" / lock.name
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=copy.parent) as scratch:
            shutil.copyfile(lock, Path(scratch, lock.name)).rename(copy)
    return copy


def _write(directory: Path, final: Path, names: Sequence[str], recipes: Sequence[Recipe]) -> None:
    """Write the study to ``directory``, which then becomes ``final``."""
    for folder in ("variants", "studies"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PARAMS_DIRECTORY / "base.yaml", directory / "base.yaml")
    for name, recipe in zip(names, recipes, strict=True):
        copied = _copied(recipe, directory / COPIED_FILES / name)
        values = variant_of(name, recipe, os.path.relpath(final / copied.relative_to(directory), CHECKOUT))
        (directory / "variants" / f"{name}.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    study = {"study": STUDY, "title": f"Recipes: {', '.join(names)}", "variants": names, "baseline": names[0]}
    (directory / "studies" / f"{STUDY}.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


def variant_of(name: str, recipe: Recipe, recipe_file: str) -> dict[str, object]:
    """The parameters of the variant of a recipe: what provisions it and what runs containers follow from its packages.

    An agent may also come with a group: the recipe then enables its units. Without an agent, systemd itself takes its
    credentials.
    """
    packages = {package.split()[0] for package in recipe.packages}
    enabled = {agent for agent in _AGENTS for unit in recipe.enabled_units if unit.startswith(f"{agent}.")}
    agent = next((agent for agent in _AGENTS if agent in packages | enabled), "credentials")
    source = {"ignition": "ignition", "credentials": "credentials"}.get(agent, "ec2")
    runtime = next((runtime for runtime, names in RUNTIMES.items() if packages & set(names)), "none")
    return {
        "variant": name,
        "description": f"the recipe {recipe.files[0].name}",
        "method": "traditional" if recipe.files[0].suffix == ".ks" and not recipe.ostree_source else "ostree",
        "recipe": name,
        "recipe_file": recipe_file,
        "agent": agent,
        "data_source": source,
        "runtime": runtime,
    }


def _names(paths: Sequence[str]) -> list[str]:
    """A variant's name for each recipe: that of its file, with a number if it is not the only one."""
    names: list[str] = []
    for path in paths:
        plain = re.sub(r"[^a-z0-9.-]+", "-", Path(path).stem.lower()).strip("-.") or "recipe"
        same = sum(name == plain or name.startswith(f"{plain}-copy") for name in names)
        names.append((plain if not same else f"{plain}-copy{same}")[:64])
    return names


def top_of(recipe: Recipe) -> Path:
    """The directory that all files of a recipe are in, at some depth."""
    return Path(os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in recipe.files]))


def _copied(recipe: Recipe, target: Path) -> Path:
    """Copy the files of a recipe, each at its place beside the others; returns the copy of the first."""
    files, top = [Path(os.path.abspath(path)) for path in recipe.files], top_of(recipe)
    for path in files:
        place = target / path.relative_to(top)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)  # with the mode: a file that is added may be executable
        if (path.parent / FINALIZE).is_dir():
            shutil.copytree(path.parent / FINALIZE, place.parent / FINALIZE, symlinks=True, dirs_exist_ok=True)
        if (path.parent / OVERLAYS).is_dir():
            shutil.copytree(path.parent / OVERLAYS, place.parent / OVERLAYS, symlinks=True, dirs_exist_ok=True)
    copied = target / files[0].relative_to(top)
    if recipe.finalization:  # its programs see all of the directory, as it was read
        others = [one for one in recipe.finalization.files if not os.path.lexists(copied.parent / one.path)]
        put_files(TreeFiles(copied.parent), others, overwrite=True)
    if _said(read_recipe(copied)) != _said(recipe):
        raise WorkbookError(
            f"{recipe.files[0]}: a copy of it says something else, because it depends on files that it does not name",
            hint="copy it to params/treefiles or params/kickstarts, and add a variant of your own",
        )
    return copied


def _said(value: object) -> object:
    """What a recipe says, as plain data without the paths of its files."""
    if is_dataclass(value):
        return {name: _said(one) for name, one in vars(value).items() if name not in ("files", "notes", "source")}
    return [_said(one) for one in value] if isinstance(value, tuple) else value
