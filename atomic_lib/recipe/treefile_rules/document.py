"""Parses one treefile: YAML 1.2 or JSON, with the line of each key.

rpm-ostree reads YAML by the core schema of YAML 1.2, where ``no`` and ``off`` are text, and
ignores unknown keys of JSON.
"""

import json
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from atomic_lib.base.errors import WorkbookError

YAML_SUFFIXES = (".yaml", ".yml")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS_MOST = 100
_DEEPEST = 100
"""How deep the values of a treefile may be nested; rpm-ostree's parsers stop at 128."""


_SYNTAX_HINT = "look for indentation, quotes, commas and brackets at this line and before it"
_VALUES_MOST = 200_000


@dataclass(frozen=True)
class Document:
    """A treefile: its values by key, the line of each key, and the lines of the entries of each list.

    ``lines`` and ``entry_lines`` have no entry where a line is not known. ``twice``: keys that are given twice.
    """

    path: Path
    values: Mapping[str, object]
    lines: Mapping[str, int] = field(default_factory=dict)
    entry_lines: Mapping[str, list[int]] = field(default_factory=dict)
    twice: tuple[str, ...] = ()

    @property
    def is_json(self) -> bool:
        """Whether it is JSON, whose unknown keys are ignored."""
        return self.path.suffix not in YAML_SUFFIXES

    def location(self, key: str, entry: int | None = None) -> str:
        """``FILE:LINE`` of a key, or of an entry of its list; ``FILE`` if the line is not known."""
        lines = self.entry_lines.get(key, ())
        line = lines[entry] if entry is not None and entry < len(lines) else self.lines.get(key)
        return f"{self.path}:{line}" if line else str(self.path)


@lru_cache(maxsize=128)
def parse_document(path: Path, text: str) -> Document:
    """The treefile with ``text``: YAML if the suffix of ``path`` is .yaml or .yml, otherwise JSON, as in rpm-ostree.

    A run reads each recipe several times, and parsing YAML takes most of that time: do not change what this returns.
    Raises WorkbookError naming file and line if it cannot be parsed, is not a mapping, or is nested too deeply.
    """
    try:
        document = _from_json(path, text) if path.suffix not in YAML_SUFFIXES else _from_yaml(path, text)
    except RecursionError:
        raise _too_deep(path) from None
    _require_plain(path, document.values)
    return document


def _too_deep(path: Path) -> WorkbookError:
    return WorkbookError(f"{path}: values are nested more than {_DEEPEST} levels deep", hint="name a treefile")


class _Yaml12Loader(yaml.SafeLoader):
    """The core schema of YAML 1.2, without duplicate keys and without timestamps and merge keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as in PyYAML

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"duplicate key {key.value!r}", problem_mark=key.start_mark)
            seen.add(key.value)
            key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"),
):
    _Yaml12Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    if len(node.value) > _DIGITS_MOST:
        raise yaml.MarkedYAMLError(problem="a number is too long", problem_mark=node.start_mark)
    return int(node.value, 0 if node.value[:2] in ("0x", "0o") else 10)


def _construct_float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(node.value.replace(".inf", "inf").replace(".nan", "nan"))


_Yaml12Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Yaml12Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)


def _from_yaml(path: Path, text: str) -> Document:
    try:
        loader = _Yaml12Loader(text)
        root = loader.get_single_node()
        value = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise WorkbookError(f"{path}{line}: not valid YAML: {error.problem}", hint=_SYNTAX_HINT) from None
    except (yaml.YAMLError, ValueError) as error:
        raise WorkbookError(f"{path}: not valid YAML: {' '.join(str(error).split())}", hint=_SYNTAX_HINT) from None
    except (KeyError, AttributeError):  # PyYAML's, of "!!bool x" and "!!timestamp x"
        raise WorkbookError(f"{path}: not valid YAML: a value does not have the form of its tag") from None
    if root is None or value is None:  # an empty file, or one with comments only
        return Document(path, {})
    if not isinstance(root, yaml.MappingNode) or not isinstance(value, dict):
        raise WorkbookError(f"{path}:{root.start_mark.line + 1}: must be a mapping of keys to values",
                            hint="begin with a key, such as packages:")  # fmt: skip
    lines = {key.value: key.start_mark.line + 1 for key, _ in root.value}
    entries = {
        key.value: [item.start_mark.line + 1 for item in node.value]
        for key, node in root.value
        if isinstance(node, yaml.SequenceNode)
    }
    return Document(path, value, lines, entries)


def _from_json(path: Path, text: str) -> Document:
    twice: list[str] = []

    def mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        twice[:] = [name for name in dict.fromkeys(names) if names.count(name) > 1]  # the outermost mapping is last
        return dict(pairs)

    def constant(name: str) -> object:
        raise WorkbookError(f"{path}: not valid JSON: {name} is no number of JSON", hint=_SYNTAX_HINT)

    if text.startswith("\ufeff"):
        raise WorkbookError(f"{path}:1: not valid JSON: begins with a byte order mark, which rpm-ostree refuses",
                            hint="save the file as UTF-8 without it")  # fmt: skip
    try:
        value = json.loads(text, object_pairs_hook=mapping, parse_constant=constant)
    except json.JSONDecodeError as error:
        hint = f"{_SYNTAX_HINT}; a treefile without the suffix .yaml or .yml is read as JSON"
        raise WorkbookError(f"{path}:{error.lineno}: not valid JSON: {error.msg}", hint=hint) from None
    except ValueError:  # a number with more digits than Python converts
        raise WorkbookError(f"{path}: not valid JSON: a number is too long") from None
    if not isinstance(value, dict):
        raise WorkbookError(f"{path}: must be a mapping of keys to values")
    return Document(path, value, dict(_json_lines(text, value)), twice=tuple(twice))


def _json_lines(text: str, keys: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    """The line of each key that stands in the text once only."""
    for key in keys:
        found = [match.start() for match in re.finditer(re.escape(json.dumps(key)) + r"\s*:", text)]
        if len(found) == 1:
            yield key, text.count("\n", 0, found[0]) + 1


def _require_plain(path: Path, values: Mapping[str, object]) -> None:
    """Refuse values that are nested too deeply or too many, and text that is no Unicode.

    Aliases of YAML can make values nested without end, or wide: each is looked at once on a level.
    """
    level: list[object] = [values]
    for _ in range(_DEEPEST):
        inner = {id(item): item for one in level for item in _parts(one)}
        if any(isinstance(item, str) and _SURROGATE.search(item) for item in inner.values()):
            raise WorkbookError(f"{path}: a text has half of a surrogate pair, which is no character")
        level = list(inner.values())
        if not level:
            break
    else:
        raise _too_deep(path)
    if _size(values, {}) > _VALUES_MOST:
        raise WorkbookError(f"{path}: has more than {_VALUES_MOST} values, aliases of YAML followed",
                            hint="name a treefile")  # fmt: skip


def _size(value: object, known: dict[int, int]) -> int:
    """How many values there are in one, with each alias followed; ``known``: those of values that were counted."""
    if id(value) not in known:
        known[id(value)] = 1 + sum(_size(one, known) for one in _parts(value))
    return known[id(value)]


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value
