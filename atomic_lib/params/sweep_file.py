"""Sweep files: the variants to solve, as cells of factors in the words of a study, or one for each package left out.

A level may name packages besides the parameters of a variant: ``add`` and ``exclude``, words separated by spaces.
"""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import model_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.params.schema import Name, ParamsModel, closest, parse_yaml_mapping, refuse_unknown_keys, validated
from atomic_lib.params.study_file import FactorStudy, Parameters, Study
from atomic_lib.params.variant import OVERRIDE, Variant, load_layered, require_variant

ADDED, EXCLUDED_WORDS = "add", "exclude"
"""The keys of a level that are no parameters of a variant: packages and groups to add, names and patterns to omit."""


class Sweep(ParamsModel):
    """What to solve: every cell of ``cells``, or the variant ``without_each``, without each of its packages alone."""

    sweep: Name
    title: str = ""
    cells: FactorStudy | None = None
    without_each: Name | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Sweep":
        if (self.cells is None) == (self.without_each is None):
            raise ValueError("needs one of two keys: cells (factors and their levels) or without_each (a variant)")
        return self


@dataclass(frozen=True)
class SweepCell:
    """A variant to solve: its ``levels`` by factor, its parameters, and the words to ``add`` and to ``exclude``."""

    name: str
    levels: Mapping[str, str]
    variant: Variant
    add: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def load_sweep(path: Path, params: Path = PARAMS_DIRECTORY) -> Sweep:
    """The sweep in a file; a study with ``cells`` is one, too.

    Raises WorkbookError naming file, line and key of what is not accepted.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkbookError(
            f"{path}: cannot be read: {error}", hint="give a sweep file: docs/sweep.md says what is in it"
        ) from None
    values, places = parse_yaml_mapping(path, text), _Places(path, text)
    try:
        if "study" in values:
            study = validated(Study, values, str(path), {})
            values = {"sweep": study.study, "title": study.title, "cells": values.get("cells")}
        if isinstance(cells := values.get("cells"), dict):
            refuse_unknown_keys(FactorStudy, cells, f"{path}: cells")
        sweep = validated(Sweep, values, str(path), {})
    except WorkbookError as error:
        raise WorkbookError("\n".join(map(places.in_line, error.message.split("\n"))), hint=error.hint) from None
    if sweep.without_each:
        require_variant(sweep.without_each, params, f"{places.of(['without_each'])}: without_each: ")
    if sweep.cells:
        require_variant(sweep.cells.variant, params, f"{places.of(['cells', 'variant'])}: cells.variant: ")
        _require_levels(sweep.cells, places, params)
    return sweep


def sweep_cells(
    sweep: Sweep, params: Path = PARAMS_DIRECTORY, overrides: Mapping[str, object] | None = None
) -> list[SweepCell]:
    """The cells of a sweep's factors, the base cell first; ``overrides`` override all other parameters.

    Raises WorkbookError as ``load_variant`` does.
    """
    assert sweep.cells is not None
    loaded: dict[Hashable, Variant] = {}
    found = []
    for name, levels in sweep.cells.cells().items():
        values = sweep.cells.parameters_of(levels)
        words = [tuple(str(values.pop(key, "")).split()) for key in (ADDED, EXCLUDED_WORDS)]
        key = tuple(sorted(values.items()))
        if key not in loaded:
            layers = {f"{sweep.sweep}: cells: {name}": values, OVERRIDE: overrides or {}}
            loaded[key] = load_layered(sweep.cells.variant, params, layers)
        found.append(SweepCell(name, levels, loaded[key], *words))
    return sorted(found, key=lambda cell: cell.name != "base")


def _require_levels(cells: FactorStudy, places: "_Places", params: Path) -> None:
    """Raise WorkbookError for the first level with a parameter, or a value of one, that is not accepted."""
    if "variant" in cells.factors:
        raise WorkbookError(f"{places.of(['cells', 'factors', 'variant'])}: cells.factors.variant: is the name of the "
                            "column of all variants, and not accepted as that of a factor")  # fmt: skip
    known = sorted({*Variant.model_fields, ADDED, EXCLUDED_WORDS})
    for keys, level in _levels(cells):
        own = {key: value for key, value in level.items() if key not in (ADDED, EXCLUDED_WORDS)}
        source = f"{places.of(keys)}: {'.'.join(keys)}"
        for key in level.keys() - own.keys():
            if not isinstance(level[key], str):
                raise WorkbookError(
                    f"{source}: {key}: {level[key]!r} is not accepted: must be text: names, separated by spaces"
                )
        for key in (key for key in own if key not in known):
            raise WorkbookError(
                f"{source}: unknown key {key!r}{closest(key, known)}", hint=f"known keys: {', '.join(known)}"
            )
        load_layered(cells.variant, params, {source: own})


def _levels(cells: FactorStudy) -> Iterator[tuple[tuple[str, ...], Parameters]]:
    """The common parameters and those of each level, with the keys that lead to them."""
    yield ("cells", "parameters"), cells.parameters
    for factor, levels in cells.factors.items():
        for level, parameters in levels.items():
            yield ("cells", "factors", factor, level), {**cells.parameters, **parameters}


class _Places:
    """Where the keys of a YAML file stand; names with dots as far as the key before them."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._root = path, yaml.compose(text, Loader=yaml.SafeLoader)

    def of(self, keys: Sequence[object]) -> str:
        """``FILE:LINE`` of the last of these keys that stands in the file."""
        node, line = self._root, 1
        for key in keys:
            if isinstance(node, yaml.MappingNode):
                pair = next((pair for pair in node.value if pair[0].value == str(key)), None)
                if pair is None:
                    break
                node, line = pair[1], pair[0].start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                line = node.start_mark.line + 1
            else:
                break
        return f"{self._path}:{line}"

    def in_line(self, text: str) -> str:
        """A line of an error, ``FILE: KEY: ...`` or ``FILE: KEY: unknown key 'KEY'``, with the place for the file."""
        head = f"{self._path}: "
        if not text.startswith(head):
            return text
        text = text.removeprefix(head)
        named = re.match(r"((?:[\w.-]+: )*)(?:unknown key '([^']*)')?", text)
        words = [*named[1].split(": "), named[2] or ""] if named else []
        return f"{self.of([key for word in words if word for key in word.split('.')])}: {text}"
