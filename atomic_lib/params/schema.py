"""Parameter files: YAML mappings, validated as typed models. Errors name file and key."""

import re
import reprlib
from collections.abc import Hashable, Iterable, Mapping
from copy import deepcopy
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from atomic_lib.base.errors import WorkbookError


def _require_expressions(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"{text!r} is not a valid regular expression: {error}") from None
    return texts


Expressions = Annotated[tuple[str, ...], Field(min_length=1, strict=False), AfterValidator(_require_expressions)]
"""A list of regular expressions, at least one."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=64)]


class ParamsModel(BaseModel):
    """A parameter file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_M = TypeVar("_M", bound=BaseModel)
_ODD = re.compile("[\0\ud800-\udfff]")
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother = 3, 300, 300


class _UniqueKeyLoader(yaml.SafeLoader):
    """A loader that refuses duplicate keys, as the YAML specification requires; PyYAML takes the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # as in PyYAML
        seen: set[object] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"duplicate key {key.value!r}", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read_yaml_mapping(path: Path) -> dict[str, object]:
    """The mapping in a YAML file.

    Raises WorkbookError naming file and line if the file is missing, is not YAML or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WorkbookError(f"{path}: no such file", hint=_siblings_hint(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise WorkbookError(f"{path}: cannot be read: {error}") from None
    return parse_yaml_mapping(path, text)


def parse_yaml_mapping(path: Path, text: str) -> dict[str, object]:
    """The mapping in ``text``, which was read from ``path``; raises WorkbookError as ``read_yaml_mapping`` does."""
    try:
        value = deepcopy(_parsed(text))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise WorkbookError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise WorkbookError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    except (ValueError, KeyError, AttributeError, RecursionError) as error:  # PyYAML's own, of values that it converts
        raise WorkbookError(
            f"{path}: not valid YAML: a value cannot be read: {_shown(error)}",
            hint="write a text that looks like a date or a number in quotes",
        ) from None
    if not isinstance(value, dict):
        raise WorkbookError(f"{path}: must be a mapping of keys to values")
    return value


@lru_cache(maxsize=64)
def _parsed(text: str) -> object:
    """What a text says, which nobody may change: each variant of a study is made of the same few files."""
    return yaml.load(text, Loader=_UniqueKeyLoader)


def _siblings_hint(path: Path) -> str:
    names = sorted(sibling.name for sibling in path.parent.glob(f"*{path.suffix}"))
    return (
        f"files in {path.parent}: {', '.join(names)}" if names else f"create the file, or check the path {path.parent}"
    )


def closest(word: object, known: Iterable[str]) -> str:
    """`` (did you mean ...?)`` with the most similar known word; empty if none is similar."""
    close = get_close_matches(str(word), list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def refuse_unknown_keys(model: type[BaseModel], values: Mapping[str, object], source: str) -> None:
    """Raise WorkbookError with a line for each key that is not a field of ``model``; ``source`` is the file."""
    known = sorted(model.model_fields)
    unknown = [f"{source}: unknown key {key!r}{closest(key, known)}" for key in values if key not in known]
    if unknown:
        raise WorkbookError("\n".join(unknown), hint=f"known keys: {', '.join(known)}")


def validated(model: type[_M], values: Mapping[str, object], source: str, sources: Mapping[str, str]) -> _M:
    """``values`` as a ``model``. ``source`` is the file; ``sources`` names another one for some of the keys.

    Raises WorkbookError with one line for each key that is unknown, missing or not accepted.
    """
    refuse_unknown_keys(model, values, source)
    odd = [f"{sources.get(key, source)}: {key}: has a null byte, or half of a surrogate pair, which is no character"
           for key, value in values.items() if _has_odd_text(value)]  # fmt: skip
    if odd:
        raise WorkbookError("\n".join(odd), hint="correct the value and run again")
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"])
            file = sources.get(key.split(".")[0], source)
            text = _explain(problem["type"], problem["input"], problem["msg"], problem.get("ctx", {}))
            lines.append(f"{file}: {key}: {text}" if key else f"{file}: {text}")
        raise WorkbookError("\n".join(lines), hint="correct the value and run again") from None


def _has_odd_text(value: object) -> bool:
    """Whether a text in a value can be neither written as UTF-8 nor be the name of a file."""
    waiting, seen = [value], set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and _ODD.search(one):
            return True
        if isinstance(one, dict | list | tuple | set) and id(one) not in seen:  # an alias of YAML is looked at once
            seen.add(id(one))
            waiting += [*one, *one.values()] if isinstance(one, dict) else one
    return False


def _shown(value: object) -> str:
    """A value for a message: not whole if it is long, as aliases of YAML can make it."""
    return _REPR.repr(value)


_TYPES = {
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "text (in quotes, if it looks like a number)",
    "tuple_type": "a list",
}


def _explain(kind: str, value: object, message: str, context: Mapping[str, object]) -> str:
    """One of pydantic's errors in the terms of a YAML file: what is accepted, not which Python type."""
    if kind == "missing":
        return "is required"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind == "literal_error":
        expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        return f"{_shown(value)} is not accepted: must be one of {expected}"
    if kind == "string_pattern_mismatch":
        return f"{_shown(value)} is not accepted: must match {context['pattern']}"
    if kind == "greater_than_equal":
        return f"{_shown(value)} is not accepted: must be at least {context['ge']}"
    if kind == "less_than_equal":
        return f"{_shown(value)} is not accepted: must be at most {context['le']}"
    if kind == "too_short":
        return "must not be empty"
    if kind in _TYPES:
        return f"{_shown(value)} is not accepted: must be {_TYPES[kind]}"
    return f"{_shown(value)} is not accepted: {message}"
