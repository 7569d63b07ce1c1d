"""Classes of the footprint: the purpose of each package, and of each file that no package owns.

The rules are data: ``params/rules/classes.yaml``. The first class with a fitting pattern wins.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import RULES_DIRECTORY

RULES_FILE = RULES_DIRECTORY / "classes.yaml"
_Pattern = tuple[str, re.Pattern[str]]
_KEYS = {"class", "title", "choice", "packages", "paths"}


@dataclass(frozen=True)
class ClassRule:
    """One class: its name in results, its title for people, and what belongs to it."""

    name: str
    title: str
    packages: tuple[str, ...]
    paths: tuple[str, ...]
    choice: tuple[str, ...] = ()
    """What an image can do without, as shell patterns of packages: the report says what could be removed."""


@dataclass(frozen=True)
class ClassRules:
    """All classes in the order of the file; the last one takes the rest."""

    rules: tuple[ClassRule, ...]

    def class_of_package(self, name: str) -> str:
        """The class of a package, by its name without version."""
        return _first_match(self._package_patterns, name)

    def class_of_path(self, path: str) -> str:
        """The class of a file that no package owns; ``path`` begins with ``/``, the root of the tree."""
        return _first_match(self._path_patterns, path)

    def title_of(self, name: str) -> str:
        """The title of a class; an unknown class (an older result) is its own title."""
        return next((rule.title for rule in self.rules if rule.name == name), name)

    def order_of(self, name: str) -> int:
        """The place of a class in tables and figures; unknown ones come last."""
        return next((place for place, rule in enumerate(self.rules) if rule.name == name), len(self.rules))

    @functools.cached_property
    def _package_patterns(self) -> tuple[_Pattern, ...]:
        return _compile((rule.name, rule.packages) for rule in self.rules)

    @functools.cached_property
    def _path_patterns(self) -> tuple[_Pattern, ...]:
        return _compile((rule.name, rule.paths) for rule in self.rules)


def load_class_rules(path: Path = RULES_FILE) -> ClassRules:
    """The rules in ``path``; raises WorkbookError naming the file and the entry that is wrong."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WorkbookError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(entries, list) or not entries:
        raise WorkbookError(f"{path}: must be a list of classes", hint="each entry has the keys class, title, packages")
    rules = tuple(_rule(path, number, entry) for number, entry in enumerate(entries, start=1))
    if "*" not in rules[-1].packages or "*" not in rules[-1].paths:
        raise WorkbookError(f"{path}: the last class must take the rest: packages and paths need the pattern '*'")
    names = [rule.name for rule in rules]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise WorkbookError(f"{path}: duplicate class {repeated[0]!r}")
    return ClassRules(rules)


@functools.cache
def default_class_rules() -> ClassRules:
    """The rules of ``params/rules/classes.yaml``, read once."""
    return load_class_rules()


def class_of(package_name: str) -> str:
    """The class of a package by ``params/rules/classes.yaml``."""
    return default_class_rules().class_of_package(package_name)


def class_of_path(path: str) -> str:
    """The class of a file that no package owns, by ``params/rules/classes.yaml``; ``path`` begins with ``/``."""
    return default_class_rules().class_of_path(path)


def _rule(path: Path, number: int, entry: object) -> ClassRule:
    where = f"{path}: entry {number}"
    if not isinstance(entry, dict):
        raise WorkbookError(f"{where}: must be a mapping")
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise WorkbookError(f"{where}: unknown key {unknown[0]!r}", hint=f"known keys: {', '.join(sorted(_KEYS))}")
    for key in ("class", "title"):
        if not isinstance(entry.get(key), str):
            raise WorkbookError(f"{where}: {key}: must be a text")
    for key in ("packages", "paths", "choice"):
        value = entry.get(key, [])
        if not isinstance(value, list) or not all(isinstance(pattern, str) for pattern in value):
            raise WorkbookError(f"{where}: {key}: must be a list of shell patterns")
    packages, paths, choice = (tuple(entry.get(key, ())) for key in ("packages", "paths", "choice"))
    return ClassRule(entry["class"], entry["title"], packages, paths, choice)


def _compile(patterns: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[_Pattern, ...]:
    """One regular expression per class: a tree has tens of thousands of files."""
    return tuple((name, re.compile("|".join(map(translate, globs)))) for name, globs in patterns if globs)


def _first_match(patterns: tuple[_Pattern, ...], text: str) -> str:
    return next(name for name, pattern in patterns if pattern.match(text))
