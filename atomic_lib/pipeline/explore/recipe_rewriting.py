"""The files of a saved recipe: one that includes the base, and copies of those includes that lose an entry.

A treefile adds to what it includes and cannot take away. So a file that names what is removed is copied without it,
and so is each file that includes it; the others are included as they are.
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.recipe_files.conversion import RecipeDumper, package_options
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.treefile_rules.document import parse_document
from atomic_lib.recipe.treefile_rules.package_entries import names_in

_LISTS = {"packages": "packages", "packages-x86_64": "packages", "bootstrap-packages": "packages",
          "exclude-packages": "excludes", "units": "units"}  # fmt: skip


@dataclass(frozen=True)
class Removed:
    """What a saved recipe no longer has: entries of its lists, and whole files that it included."""

    packages: frozenset[str]
    excludes: frozenset[str]
    units: frozenset[str]
    files: frozenset[Path]


def saved_treefiles(
    name: str, base: Recipe, target: Recipe, removed: Removed, parts: Sequence[Path], params: Path
) -> dict[Path, str]:
    """The text of each treefile to write: ``NAME.yaml``, which includes the base and ``parts``, and its copies.

    Raises WorkbookError for a base that is not in ``params/treefiles``: copy it there first.
    """
    own, top = params / "treefiles", base.files[0]
    if top.resolve().parent != own.resolve():
        raise WorkbookError(
            f"{top}: a variant is saved from a recipe in params/treefiles or params/kickstarts",
            hint=f"copy it, with the files that it includes, to {os.path.relpath(own)}, and explore it there",
        )
    rewriting = _Rewriting(name, removed)
    values = rewriting.without(top) or {"include": [top.name]}
    included = _as_list(values.get("include", []))
    values["include"] = [*included, *(os.path.relpath(part, own) for part in parts)]
    values["ref"] = f"fedora-atomic/${{basearch}}/{name}"
    _extend(values, "packages", [word for word in target.packages if word not in {*base.packages}], parts)
    _extend(values, "exclude-packages", [word for word in target.excludes if word not in base.excludes], ())
    if target.documentation != base.documentation:
        values["documentation"] = target.documentation
    ordered = {"ref": values.pop("ref"), "include": values.pop("include"), **values}
    head = f"# {top.name} with other choices, made in notebooks/explore.ipynb.\n"
    return {own / f"{name}.yaml": head + _dumped(ordered), **rewriting.copies}


def saved_kickstart(
    name: str, base: Recipe, target: Recipe, exchanged: Collection[tuple[str, str]], params: Path
) -> dict[Path, str]:
    """The text of the kickstart to write: that of the base, and a %packages section that changes what it names.

    Raises WorkbookError for another agent or runtime, which needs other services and scripts, too.
    """
    if exchanged:
        raise WorkbookError(
            f"{base.files[0]}: a kickstart is not saved with another agent or runtime: its services and scripts "
            "belong to the one that it has",
            hint="start from a variant with a treefile, such as atomic-min",
        )
    text = base.files[0].read_text(encoding="utf-8")
    added = [*(f"@{group}" for group in target.groups if group not in base.groups),
             *(word for word in target.packages if word not in base.packages)]  # fmt: skip
    gone = dict.fromkeys([*(word for word in base.packages if word not in target.packages),
                          *(word for word in target.excludes if word not in base.excludes)])  # fmt: skip
    section = [" ".join(["%packages", *package_options(target)]), *added, *(f"-{word}" for word in gone), "%end"]
    lines = ["", "# Other choices, made in notebooks/explore.ipynb.", *section]
    return {params / "kickstarts" / f"{name}.ks": text.rstrip("\n") + "\n" + "\n".join(lines) + "\n"}


@dataclass
class _Rewriting:
    """Treefiles without what is removed; ``copies`` collects the text of each include that has to be copied."""

    name: str
    removed: Removed
    copies: dict[Path, str] = field(default_factory=dict)

    def without(self, path: Path) -> dict[str, Any] | None:
        """The values of a treefile without what is removed, or None if nothing of it is."""
        values: dict[str, Any] = dict(parse_document(path, path.read_text(encoding="utf-8")).values)
        changed = False
        for key, kind in _LISTS.items():
            if key in values:
                kept = _kept(values[key], getattr(self.removed, kind))
                changed |= kept != values[key]
                values[key] = kept
        includes = [self._include(path.parent, one) for one in _as_list(values.get("include", []))]
        if includes != _as_list(values.get("include", [])):
            changed = True
            values["include"] = [one for one in includes if one is not None]
        return {key: value for key, value in values.items() if value != []} if changed else None

    def _include(self, directory: Path, word: str) -> str | None:
        """The include, that of its copy, or None if the file is removed."""
        path = directory / word
        if path.resolve() in self.removed.files:
            return None
        values = self.without(path) if path.suffix in (".yaml", ".yml") else None
        if values is None:
            return word
        copy = path.with_name(f"{self.name}-{path.name}")
        self.copies[copy] = f"# {path.name} without what {self.name} leaves out.\n" + _dumped(values)
        return os.path.relpath(copy, directory)


def _kept(entries: Any, removed: Collection[str]) -> Any:
    """The entries of a list, each of one or several words, without the words that are removed."""
    kept = []
    for entry in entries:
        words = names_in(entry)
        left = [word for word in words if word not in removed]
        if left == words:
            kept.append(entry)
        elif left:
            kept.append(" ".join(f"'{word}'" if " " in word else word for word in left))
    return kept


def _extend(values: dict[str, Any], key: str, words: Sequence[str], parts: Sequence[Path]) -> None:
    """Add words to a list, but those that a part brings."""
    brought = {word for part in parts for entry in _values(part).get(key, []) for word in names_in(entry)}
    new = [f"'{word}'" if " " in word else word for word in words if word not in brought]
    if new:
        values[key] = [*values.get(key, []), *new]


def _values(path: Path) -> dict[str, Any]:
    return dict(parse_document(path, path.read_text(encoding="utf-8")).values)


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _dumped(values: dict[str, Any]) -> str:
    return yaml.dump(values, Dumper=RecipeDumper, sort_keys=False, width=110, allow_unicode=True)
