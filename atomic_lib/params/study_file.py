"""What a study file says: which variants to compare, and which to make of factors."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.params.schema import Name, ParamsModel, read_yaml_mapping, validated
from atomic_lib.params.variant import OVERRIDE, Variant, load_layered, load_variant, require_variant

Parameters = dict[str, str | int | float | bool]
"""Some of a variant's parameters."""


class Step(ParamsModel):
    """One decision on the way from the baseline: taking it leads to ``variant``."""

    decision: str
    variant: Name


class FactorStudy(ParamsModel):
    """Variants made of factors: each level sets parameters over those of ``variant``.

    The first level of each factor makes the base cell. The factors named in ``crossed`` are
    combined in all ways; each other one is changed alone. ``parts`` of several levels add up.
    """

    variant: Name
    parameters: Parameters = Field(default_factory=dict)
    factors: dict[Name, dict[Name, Parameters]] = Field(min_length=1)
    crossed: tuple[Name, ...] = ()

    _tuple = field_validator("crossed", mode="before")(lambda value: tuple(value) if isinstance(value, list) else value)

    @model_validator(mode="after")
    def _is_consistent(self) -> "FactorStudy":
        unknown = [name for name in self.crossed if name not in self.factors]
        if unknown:
            raise ValueError(f"crossed: {unknown[0]!r} is none of the factors: {', '.join(self.factors)}")
        alone = [name for name, levels in self.factors.items() if len(levels) < 2]
        if alone:
            raise ValueError(f"factors: {alone[0]!r} needs two levels or more")
        return self

    def cells(self) -> dict[str, dict[str, str]]:
        """The level of each factor, by the cell's name: ``base``, or FACTOR-LEVEL of all that differ from it."""
        base = {name: next(iter(levels)) for name, levels in self.factors.items()}
        crossed = [dict(zip(self.crossed, levels, strict=True)) for levels in product(
            *(self.factors[name] for name in self.crossed))]  # fmt: skip
        single = [{name: level} for name in self.factors if name not in self.crossed for level in self.factors[name]]
        cells = [{**base, **changed} for changed in (*crossed, *single)]
        return {_cell_name(cell, base): cell for cell in cells}

    def parameters_of(self, cell: Mapping[str, str]) -> Parameters:
        """The parameters that a cell sets over those of ``variant``."""
        chosen = [self.factors[name][level] for name, level in cell.items()]
        parts = " ".join(str(level["parts"]) for level in chosen if level.get("parts"))
        values = {key: value for level in (self.parameters, *chosen) for key, value in level.items()}
        return {**values, "parts": parts}


def _cell_name(cell: Mapping[str, str], base: Mapping[str, str]) -> str:
    return ".".join(f"{name}-{level}" for name, level in cell.items() if level != base[name]) or "base"


class Study(ParamsModel):
    """Which variants to compare, and with which of them as the baseline.

    ``parameters`` lie over those of every variant's own file. ``steps``: the decisions that
    lead from the baseline to the last variant, for the waterfall. ``cells``: further
    variants, made of factors. ``fallbacks``: which variant stands in for one that fails; it
    need not be one of the study's. ``conformance``: put the faults to the variants' agents.
    """

    study: Name
    title: str
    variants: tuple[Name, ...] = Field(min_length=1)
    baseline: Name
    parameters: Parameters = Field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    cells: FactorStudy | None = None
    fallbacks: dict[Name, Name] = Field(default_factory=dict)
    conformance: bool = False

    @field_validator("variants", "steps", mode="before")
    @classmethod
    def _list_to_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _names_are_known(self) -> "Study":
        named = [("baseline", self.baseline), *(("steps", step.variant) for step in self.steps)]
        for key, name in named:
            if name not in self.names:
                raise ValueError(f"{key} {name!r} is none of the variants: {', '.join(self.names)}")
        return self

    @model_validator(mode="after")
    def _fallbacks_end(self) -> "Study":
        reachable = {*self.names, *self.fallbacks.values()}
        for name in self.fallbacks:
            if name not in reachable:
                raise ValueError(f"fallbacks: {name!r} is none of the variants: {', '.join(self.names)}")
            way = [name]
            while way[-1] in self.fallbacks:
                way.append(self.fallbacks[way[-1]])
                if way[-1] in way[:-1]:
                    raise ValueError(f"fallbacks: {name}: {' -> '.join(way)} never ends")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """All variants of the study, cells included."""
        return tuple(dict.fromkeys((*self.variants, *(self.cells.cells() if self.cells else ()))))


def load_study(name: str, params: Path = PARAMS_DIRECTORY) -> Study:
    """The study ``params/studies/NAME.yaml``; raises WorkbookError naming file and key."""
    path = params / "studies" / f"{name}.yaml"
    study = validated(Study, read_yaml_mapping(path), str(path), {})
    if study.study != name:
        raise WorkbookError(f"{path}: study: must be {name!r}, as the file is named, not {study.study!r}")
    for variant in study.variants:
        require_variant(variant, params, f"{path}: variants: ")
    if study.cells:
        require_variant(study.cells.variant, params, f"{path}: cells: variant: ")
    for variant, fallback in study.fallbacks.items():
        if fallback not in study.names:
            require_variant(fallback, params, f"{path}: fallbacks: {variant}: ")
    return study


def study_variants(
    study: Study, params: Path = PARAMS_DIRECTORY, overrides: Mapping[str, Any] | None = None
) -> list[Variant]:
    """The study's variants, cells included; ``overrides`` lie over everything.

    Raises WorkbookError as ``load_variant`` does.
    """
    source = str(params / "studies" / f"{study.study}.yaml")
    over = {f"{source}: parameters": study.parameters, OVERRIDE: overrides or {}}
    loaded = [load_layered(name, params, over) for name in study.variants]
    if study.cells is None:
        return loaded
    for name, cell in study.cells.cells().items():
        own = {f"{source}: parameters": study.parameters, f"{source}: cells: {name}": study.cells.parameters_of(cell)}
        start = load_layered(study.cells.variant, params, {**own, OVERRIDE: overrides or {}})
        described = ", ".join(f"{factor}: {level}" for factor, level in cell.items())
        loaded.append(start.model_copy(update={"variant": name, "description": described}))
    return loaded


def fallback_variants(
    study: Study, params: Path = PARAMS_DIRECTORY, overrides: Mapping[str, Any] | None = None
) -> dict[str, Variant]:
    """Every fallback of the study by its name, as ``study_variants`` would have it.

    An overriding lock is left out: it belongs to the variant that was asked for.
    Raises WorkbookError as ``load_variant`` does.
    """
    if not study.fallbacks:
        return {}
    over = {key: value for key, value in (overrides or {}).items() if key != "lock"}
    source = f"{params / 'studies' / study.study}.yaml: parameters"
    own = {variant.variant: variant for variant in study_variants(study, params, over)}
    return {
        name: own.get(name) or load_layered(name, params, {source: study.parameters, OVERRIDE: over})
        for name in study.fallbacks.values()
    }


def chosen_variant(
    name: str, study: str = "", overrides: Mapping[str, Any] | None = None, params: Path = PARAMS_DIRECTORY
) -> Variant:
    """The variant ``params/variants/NAME.yaml`` or, with ``study``, what that study makes of this name.

    A study's parameters lie over the variant's own, its cells are variants, and its fallbacks count;
    ``overrides`` lie over everything.

    Raises WorkbookError as ``load_variant`` does, and for a name that the study does not have.
    """
    if not study:
        return load_variant(name, params, overrides)
    loaded = load_study(study, params)
    variants = {variant.variant: variant for variant in study_variants(loaded, params, overrides)}
    variants = {**fallback_variants(loaded, params, overrides), **variants}
    if name not in variants:
        raise WorkbookError(f"study {study!r} has no variant {name!r}", hint=f"it has: {', '.join(variants)}")
    return variants[name]
