"""Where each entry of a recipe comes from: all files and lines that name it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart.kickstart_lines import SECTIONS, Line, read_lines
from atomic_lib.recipe.kickstart.kickstart_repositories import BASE
from atomic_lib.recipe.recipe import Recipe, unit_name
from atomic_lib.recipe.source import lines_of, read_text
from atomic_lib.recipe.treefile_rules.variables import BASEARCH

Origins = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By field of the recipe and entry: ``FILE:LINE`` of all places that name the entry."""
_Named = Iterator[tuple[str, str, str]]
"""A field of the recipe, an entry that a file has there, and the place."""

_FIELDS = {
    **dict.fromkeys(("packages", "bootstrap-packages", "bootstrap_packages", f"packages-{BASEARCH}"), "packages"),
    "repos": "repos",
    "exclude-packages": "excludes", "units": "enabled_units", "remove-files": "removed_paths",
}  # fmt: skip
"""Keys of treefiles that list entries, and the fields of a recipe."""
_OUTER_KEYS = ("conditional-include", "include", "repo-packages")
"""Keys of treefiles with such keys in their values."""


def origins_of(recipe: Recipe) -> Origins:
    """The places in the recipe's files that name its packages, groups, excludes, units, repositories and paths.

    An entry without a place was not written, but follows from a default.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for field, entry, place in _named(recipe):
        if entry in getattr(recipe, field):
            found.setdefault(field, {}).setdefault(entry, []).append(place)
    return {
        field: {entry: tuple(dict.fromkeys(places)) for entry, places in entries.items()}
        for field, entries in found.items()
    }


def _named(recipe: Recipe) -> _Named:
    if recipe.files[0].suffix == ".ks":
        lines, _ = read_lines(recipe.files[0], [path.resolve().parent for path in recipe.files])
        yield from _in_kickstart(lines)
        return
    for path in recipe.files:
        try:
            text = read_text(path)
            if path.suffix == ".ks":
                yield from _in_kickstart(Line(line, path, at) for at, line in enumerate(lines_of(text), start=1))
            elif path.suffix == ".repo":
                for number, line in enumerate(lines_of(text), start=1):
                    yield "repos", line.strip().strip("[]"), f"{path}:{number}"
            elif path.suffix in (".yaml", ".yml", ".json"):
                # JSON is YAML, but for tabs between its values
                plain = text if path.suffix != ".json" else text.replace("\t", " ")
                yield from _in_treefile(path, yaml.compose(plain, Loader=yaml.SafeLoader))
        except (WorkbookError, yaml.YAMLError, RecursionError):
            continue  # a file that is added to the tree, whatever its suffix says


def _in_kickstart(lines: Iterable[Line]) -> _Named:
    section = ""
    for line in lines:
        word, text = line.first_word, line.text.partition("#")[0].strip()
        if section == "%packages" and word not in ("%end", *SECTIONS):
            group = re.fullmatch(r"(-?)@\s*(.*)", re.sub(r"\s+--", " --", text))
            entry = "".join(group.groups()) if group else text.removeprefix("-")
            yield "groups" if group else "excludes" if text.startswith("-") else "packages", entry, line.location
        elif word.startswith("%"):
            section = "" if word == "%end" else word
        elif not section:
            for said in re.split(r"[\s,=\"']+", text)[1:]:
                if word == "services":
                    for field in ("enabled_units", "disabled_units"):
                        yield field, unit_name(said), line.location
                elif word in ("repo", "url"):
                    yield "repos", BASE if word == "url" else said, line.location


def _in_treefile(path: Path, node: yaml.Node | None) -> _Named:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _in_treefile(path, item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in _OUTER_KEYS:
                yield from _in_treefile(path, value)
            elif key.value in _FIELDS and isinstance(value, yaml.SequenceNode):
                for item in value.value:
                    for number, line in enumerate(str(item.value).split("\n"), start=item.start_mark.line + 1):
                        pieces = line.split("'")  # one in quotes may be of several words
                        for entry in (*map(str.strip, pieces), *line.replace("'", " ").split()):
                            yield _FIELDS[key.value], entry, f"{path}:{number}"
