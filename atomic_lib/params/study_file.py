"""Study files (``params/studies/NAME.yaml``): the variants to compare, by name or generated from factors."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path

from pydantic import Field, model_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, PARAMS_DIRECTORY
from atomic_lib.params.schema import Name, ParamsModel, read_yaml_mapping, validated
from atomic_lib.params.study_updates import StudyUpdates
from atomic_lib.params.variant import OVERRIDE, Variant, load_layered, load_variant, require_variant

Parameters = dict[str, str | int | float | bool]
"""Some of a variant's parameters."""
ALL = "all"
"""The word for all factors in ``crossed``."""
_JOINED = ("parts", "add", "exclude")
"""Lists of words, of which a cell has those of all its levels."""


class Step(ParamsModel):
    """One decision on the way from the baseline; ``variant`` is the result of taking it."""

    decision: str
    variant: Name


class FactorStudy(ParamsModel):
    """Variants (cells) generated from factors. Each level of a factor overrides parameters of ``variant``.

    The first levels of all factors form the base cell. The factors in ``crossed`` (``all``: every one) are varied
    in all combinations, the other factors one at a time. ``also``: further cells, by those of their levels that are
    not the first ones. ``parts`` of several levels are joined.
    """

    variant: Name
    parameters: Parameters = Field(default_factory=dict)
    factors: dict[Name, dict[Name, Parameters]] = Field(min_length=1)
    crossed: tuple[Name, ...] = Field(default=(), strict=False)
    also: tuple[dict[Name, Name], ...] = Field(default=(), strict=False)

    @model_validator(mode="before")
    @classmethod
    def _all_are_crossed(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("crossed") == ALL and isinstance(values.get("factors"), dict):
            return {**values, "crossed": tuple(values["factors"])}
        return values

    @model_validator(mode="after")
    def _is_consistent(self) -> "FactorStudy":
        unknown = [name for name in self.crossed if name not in self.factors]
        if unknown:
            raise ValueError(f"crossed: {unknown[0]!r} is not one of the factors: {', '.join(self.factors)}")
        alone = [name for name, levels in self.factors.items() if len(levels) < 2]
        if alone:
            raise ValueError(f"factors: {alone[0]!r} needs at least two levels")
        for name, level in (pair for cell in self.also for pair in cell.items()):
            if name not in self.factors:
                raise ValueError(f"also: {name!r} is not one of the factors: {', '.join(self.factors)}")
            if level not in self.factors[name]:
                raise ValueError(f"also: {name}: {level!r} is not one of its levels: {', '.join(self.factors[name])}")
        return self

    def cells(self) -> dict[str, dict[str, str]]:
        """The level of each factor by cell: ``base``, or FACTOR-LEVEL for each level that differs from base."""
        base = {name: next(iter(levels)) for name, levels in self.factors.items()}
        crossed = [dict(zip(self.crossed, levels, strict=True)) for levels in product(
            *(self.factors[name] for name in self.crossed))]  # fmt: skip
        single = [{name: level} for name in self.factors if name not in self.crossed for level in self.factors[name]]
        cells = [{**base, **changed} for changed in (*crossed, *single, *self.also)]
        return {_cell_name(cell, base): cell for cell in cells}

    def parameters_of(self, cell: Mapping[str, str]) -> Parameters:
        """The parameters of ``variant`` that a cell overrides."""
        chosen = [self.parameters, *(self.factors[name][level] for name, level in cell.items())]
        values = {key: value for level in chosen for key, value in level.items()}
        joined = {key: " ".join(str(level[key]) for level in chosen if level.get(key)) for key in _JOINED}
        return {**values, **{key: words for key, words in joined.items() if words or key in ("parts", *values)}}


def _cell_name(cell: Mapping[str, str], base: Mapping[str, str]) -> str:
    return ".".join(f"{name}-{level}" for name, level in cell.items() if level != base[name]) or "base"


class Study(ParamsModel):
    """Which variants to compare, and which of them is the baseline.

    ``parameters`` override those of each variant's own file. ``steps``: the decisions that
    lead from the baseline to the last variant, for the waterfall chart. ``cells``: further
    variants, generated from factors. ``fallbacks``: the variant that replaces one that fails;
    it need not be part of the study. ``conformance``: test how the variants' agents behave under
    injected faults of metadata service, network, data, disk and power. ``updates``: update the variants.
    """

    study: Name
    title: str
    variants: tuple[Name, ...] = Field(min_length=1, strict=False)
    baseline: Name
    parameters: Parameters = Field(default_factory=dict)
    steps: tuple[Step, ...] = Field(default=(), strict=False)
    cells: FactorStudy | None = None
    fallbacks: dict[Name, Name] = Field(default_factory=dict)
    conformance: bool = False
    updates: StudyUpdates | None = None

    @model_validator(mode="after")
    def _names_are_known(self) -> "Study":
        named = [("baseline", self.baseline), *(("steps", step.variant) for step in self.steps)]
        if self.updates and (cuts := self.updates.power_cuts):
            named += [("updates: power_cuts: variant", cuts.variant), ("updates: power_cuts: packages", cuts.packages)]
        for key, name in named:
            if name not in self.names:
                raise ValueError(f"{key} {name!r} is not one of the variants: {', '.join(self.names)}")
        return self

    @model_validator(mode="after")
    def _fallbacks_end(self) -> "Study":
        reachable = {*self.names, *self.fallbacks.values()}
        for name in self.fallbacks:
            if name not in reachable:
                raise ValueError(f"fallbacks: {name!r} is not one of the variants: {', '.join(self.names)}")
            chain = [name]
            while chain[-1] in self.fallbacks:
                chain.append(self.fallbacks[chain[-1]])
                if chain[-1] in chain[:-1]:
                    raise ValueError(f"fallbacks: {name}: is a cycle: {' -> '.join(chain)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all variants of the study, cells included."""
        return tuple(dict.fromkeys((*self.variants, *(self.cells.cells() if self.cells else ()))))


def load_study(name: str, params: Path = PARAMS_DIRECTORY) -> Study:
    """The study ``params/studies/NAME.yaml``.

    Raises WorkbookError naming file and key if a value is not accepted or a variant does not exist.
    """
    path = params / "studies" / f"{name}.yaml"
    study = validated(Study, read_yaml_mapping(path), str(path), {})
    if study.study != name:
        raise WorkbookError(f"{path}: study: must match the file name: {name!r}, not {study.study!r}")
    for variant in study.variants:
        require_variant(variant, params, f"{path}: variants: ")
    if study.cells:
        require_variant(study.cells.variant, params, f"{path}: cells: variant: ")
    for variant, fallback in study.fallbacks.items():
        if fallback not in study.names:
            require_variant(fallback, params, f"{path}: fallbacks: {variant}: ")
    for key, variant in study.updates.variants_elsewhere() if study.updates else ():
        require_variant(variant, params, f"{path}: {key}: ")
    return study


def study_variants(
    study: Study, params: Path = PARAMS_DIRECTORY, overrides: Mapping[str, object] | None = None
) -> list[Variant]:
    """The study's variants, cells included; ``overrides`` override all other parameters.

    Raises WorkbookError as ``load_variant`` does.
    """
    source = str(params / "studies" / f"{study.study}.yaml")
    layers = {f"{source}: parameters": study.parameters, OVERRIDE: overrides or {}}
    loaded = [load_layered(name, params, layers) for name in study.variants]
    if study.cells is None:
        return loaded
    for name, cell in study.cells.cells().items():
        own = {f"{source}: parameters": study.parameters, f"{source}: cells: {name}": study.cells.parameters_of(cell)}
        base = load_layered(study.cells.variant, params, {**own, OVERRIDE: overrides or {}})
        description = ", ".join(f"{factor}: {level}" for factor, level in cell.items())
        loaded.append(base.model_copy(update={"variant": name, "description": description}))
    return loaded


def fallback_variants(
    study: Study, params: Path = PARAMS_DIRECTORY, overrides: Mapping[str, object] | None = None
) -> dict[str, Variant]:
    """The fallbacks of the study by name, with the parameters that ``study_variants`` would give them.

    A lock in ``overrides`` is ignored: it belongs to the variant that the fallback replaces.
    Raises WorkbookError as ``load_variant`` does.
    """
    if not study.fallbacks:
        return {}
    without_lock = {key: value for key, value in (overrides or {}).items() if key != "lock"}
    source = f"{params / 'studies' / study.study}.yaml: parameters"
    own = {variant.variant: variant for variant in study_variants(study, params, without_lock)}
    return {
        name: own.get(name) or load_layered(name, params, {source: study.parameters, OVERRIDE: without_lock})
        for name in study.fallbacks.values()
    }


def chosen_variant(
    name: str, study: str = "", overrides: Mapping[str, object] | None = None, params: Path = PARAMS_DIRECTORY
) -> Variant:
    """The variant ``params/variants/NAME.yaml`` or, with ``study``, the variant of this name in that study.

    ``study`` is a name, or the path of a study file relative to the checkout, with ``../variants`` beside it.
    A study's variants include its cells and fallbacks, and its parameters override the variant's own.
    ``overrides`` override all of these.

    Raises WorkbookError as ``load_variant`` does, and for a name that is not in the study.
    """
    if not study:
        return load_variant(name, params, overrides)
    if study.endswith(".yaml"):
        params, study = (CHECKOUT / study).parents[1], Path(study).stem
    loaded = load_study(study, params)
    variants = {variant.variant: variant for variant in study_variants(loaded, params, overrides)}
    variants = {**fallback_variants(loaded, params, overrides), **variants}
    if name not in variants:
        raise WorkbookError(f"study {study!r} has no variant {name!r}", hint=f"it has: {', '.join(variants)}")
    return variants[name]
