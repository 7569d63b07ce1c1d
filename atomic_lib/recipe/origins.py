"""Where each entry of a recipe comes from: the file and line that names it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.source import lines_of, read_text

Origins = Mapping[str, tuple[str, ...]]
"""``FILE:LINE`` of all places that name an entry, by the entry."""


def origins_of(recipe: Recipe) -> Origins:
    """The places in the recipe's files that name its packages, groups, excludes, units, repositories and paths.

    An entry without a place was not written, but follows from a default.
    """
    entries = {*recipe.packages, *recipe.excludes, *recipe.repos, *recipe.removed_paths, *recipe.enabled_units,
               *recipe.disabled_units, *recipe.groups}  # fmt: skip
    found: dict[str, list[str]] = {}
    for path in recipe.files:
        for line, words in _words(path):
            for word in words:
                for entry in _spellings(word):
                    if entry in entries:
                        found.setdefault(entry, []).append(f"{path}:{line}")
    return {entry: tuple(dict.fromkeys(places)) for entry, places in found.items()}


def place_of(word: str, recipe: Recipe) -> str:
    """``FILE:LINE`` of the first line of the recipe that has a word, outside of comments; only the file if none has."""
    whole = re.compile(rf"(?<![\w.+-]){re.escape(word)}(?![\w.+-])")
    for file in (file for file in recipe.files if file.is_file()):  # it may have gone since it was read
        for number, line in enumerate(lines_of(file.read_text(errors="replace")), start=1):
            if whole.search(line.partition("#")[0]):
                return f"{file}:{number}"
    return str(recipe.files[0])


def _words(path: Path) -> Iterator[tuple[int, list[str]]]:
    text = read_text(path)
    if path.suffix == ".ks":
        for number, line in enumerate(text.split("\n"), start=1):
            yield number, line.partition("#")[0].replace("--", " ").replace("=", " ").replace(",", " ").split()
    elif path.suffix in (".yaml", ".yml", ".json"):
        for number, value in _scalars(path, text):
            pieces = [piece.strip() for piece in value.split("'")]  # a piece in quotes may be of several words
            yield number, [*pieces, *value.replace("'", " ").split()]


def _scalars(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """The line and the value of each scalar in a treefile."""
    # JSON is YAML, but for tabs between its values
    root = yaml.compose(text if path.suffix != ".json" else text.replace("\t", " "), Loader=yaml.SafeLoader)
    nodes: list[yaml.Node] = [root] if root else []
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.ScalarNode):
            for offset, line in enumerate(node.value.split("\n")):
                yield node.start_mark.line + 1 + offset, line
        elif isinstance(node, yaml.MappingNode):
            nodes += [value for _, value in reversed(node.value)]
        elif isinstance(node, yaml.SequenceNode):
            nodes += reversed(node.value)


def _spellings(word: str) -> tuple[str, ...]:
    """The entries that a word of a recipe may be: a package, a group or environment, an exclude, a unit."""
    plain = word.removeprefix("-")
    return (word, plain, plain.removeprefix("@"), f"{word}.service")
