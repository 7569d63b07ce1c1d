"""Parameters of a variant: one typed model, read from flat YAML.

A variant file is also a papermill parameter file: ``papermill -f params/base.yaml
-f params/variants/NAME.yaml``. Every key is validated here, because papermill itself only
warns about an unknown one and checks no type.
"""

from collections.abc import Hashable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Accelerator, Agent, DataSource, Runtime, SelinuxMode
from atomic_lib.base.paths import PARAMS_DIRECTORY

VARIANTS = "variants"
"""The directory of ``params`` with a file for each variant."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=64)]

_MAKE_KEY = (
    "an image that takes updates over a network needs a key of your own; make one with "
    "gpg --batch --passphrase '' --quick-generate-key NAME ed25519 sign never, write it to a file with "
    "gpg --armor --export-secret-keys NAME, and name the file in signing_key"
)


class ParamsModel(BaseModel):
    """A parameter file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_M = TypeVar("_M", bound=BaseModel)


class Variant(ParamsModel):
    """One configuration: what to compose, how to make it an image, how often to boot it."""

    variant: Name
    description: str = ""
    method: Literal["ostree", "traditional"]
    """ostree: a treefile becomes a commit; traditional: a kickstart becomes an ordinary root."""
    content: Name = "standin"
    """Where packages come from: ``params/content/CONTENT.yaml``."""
    recipe: Name
    """``params/treefiles/CONTENT/RECIPE.yaml`` or, for a traditional root, ``params/kickstarts/CONTENT/RECIPE.ks``."""
    parts: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]*( [a-z0-9][a-z0-9.-]*)*)?$")
    """Treefiles to lay over a treefile recipe, names apart by spaces: ``params/treefiles/CONTENT/parts/NAME.yaml``."""
    lock: str = ""
    """A lock file to rebuild from, relative to the directory of the run; empty: resolve anew."""
    version: str = Field(default="1", pattern=r"^[0-9A-Za-z._-]+$")
    source_date_epoch: int = Field(default=1735689600, ge=0)
    """The one time stamp of everything that is built (seconds since 1970)."""
    signing_key: str = ""
    """The OpenPGP secret key that signs an ostree variant's commits: a file without passphrase, armored or binary,
    relative to the checkout. Empty: a key derived from the ref, the same on every machine and no
    secret; good for trying, not for an image that others rely on."""
    remote_url: str = Field(default="file:///var/srv/ostree/repo", pattern=r"^(file:///|https?://[^/\s])\S*$")
    """Where an ostree variant's image takes updates from; what comes from there must be signed by ``signing_key``.
    The default is a directory that an administrator fills. Over a network only with a ``signing_key`` of one's own."""
    kickstart_version: str = "F41"
    """The kickstart syntax version, as pykickstart names them."""
    kernel_arguments: str = ""
    """Words to add to the kernel command line."""
    selinux: Literal["", SelinuxMode] = ""
    """What SELinux does in the image; empty: as the recipe says."""
    root_size_mib: int = Field(default=4096, ge=1024, le=65536)
    """The size of an ostree variant's root file system; a kickstart says it with ``part /``."""
    agent: Agent
    """What provisions the guest; the proof of life waits for its end. ``credentials``: systemd, without an agent."""
    data_source: DataSource = "ec2"
    """Where the guest's key, host name and script come from: metadata service, disc, fw_cfg, SMBIOS tables."""
    disk_name: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]*)?$", max_length=64)
    """What the disk's UUIDs are made of, so that variants that differ in their boots alone share one image;
    empty: the variant's own name."""
    runtime: Runtime = "docker"
    """What runs containers in the guest; the proof of life asks it for one."""
    last_stage: Literal["tree", "image", "boot"] = "boot"
    """How far to go: to the tree and its footprint, to the disk image, or to its boots."""
    boots_bios: int = Field(default=1, ge=0, le=100)
    boots_uefi: int = Field(default=0, ge=0, le=100)
    warm_up: bool = False
    """One boot through each firmware before the measured ones: it is shown, but in no median."""
    counted_boots: int = Field(default=0, ge=0, le=100)
    """Boots under instruction counting, which do not depend on how busy the host is."""
    accelerator: Literal["auto", Accelerator] = "auto"
    guest_cpus: int = Field(default=2, ge=1, le=64)
    guest_memory_mib: int = Field(default=2048, ge=512, le=1048576)
    boot_timeout_seconds: int = Field(default=600, ge=10, le=7200)

    @field_validator("remote_url")
    @classmethod
    def _own_key_for_a_network(cls, url: str, info: ValidationInfo) -> str:
        """What a derived key signs anyone can sign: an image must not take such a thing from a network."""
        if url.startswith("http") and not info.data.get("signing_key"):
            raise ValueError(f"{url!r} is not accepted with an empty signing_key: {_MAKE_KEY}")
        return url


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML as its specification has it: a key given twice is an error, where PyYAML takes the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read_yaml_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; raises WorkbookError naming file and line when it is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WorkbookError(f"{path}: no such file", hint=_siblings_hint(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise WorkbookError(f"{path}: cannot be read: {error}") from None
    return parse_yaml_mapping(path, text)


def parse_yaml_mapping(path: Path, text: str) -> dict[str, Any]:
    """The mapping in ``text``, read from ``path``; raises WorkbookError naming file and line when it is none."""
    try:
        value = yaml.load(text, Loader=_UniqueKeyLoader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise WorkbookError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise WorkbookError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(value, dict):
        raise WorkbookError(f"{path}: must be a mapping of keys to values")
    return value


def variant_from(values: Mapping[str, Any], source: str = "parameters") -> Variant:
    """A validated variant; ``source`` (a file name) appears in the error.

    Raises WorkbookError naming ``source``, key, the value given and what is accepted.
    """
    return validated(Variant, values, source, {})


def load_variant(name: str, params: Path = PARAMS_DIRECTORY, overrides: Mapping[str, Any] | None = None) -> Variant:
    """The variant ``params/variants/NAME.yaml`` over ``params/base.yaml``, with ``overrides`` over both.

    Raises WorkbookError naming the file (or "override") that gave a value that is not accepted.
    """
    return load_layered(name, params, {"override": overrides or {}})


def load_layered(name: str, params: Path, over: Mapping[str, Mapping[str, Any]]) -> Variant:
    """The variant of ``load_variant``; ``over``: layers of values by what gave them, the later over the earlier.

    Raises WorkbookError naming the file or layer that gave a value that is not accepted.
    """
    path = params / VARIANTS / f"{name}.yaml"
    require_variant(name, params, "")
    layers = {**{str(file): read_yaml_mapping(file) for file in (params / "base.yaml", path)}, **over}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source, layer in layers.items():
        _refuse_unknown_keys(Variant, layer, source)
        values.update(layer)
        origins.update(dict.fromkeys(layer, source))
    variant = validated(Variant, values, str(path), origins)
    if variant.variant != name:
        raise WorkbookError(f"{path}: variant: must be {name!r}, as the file is named, not {variant.variant!r}")
    return variant


def variant_names(params: Path = PARAMS_DIRECTORY) -> list[str]:
    """The names of all variants in ``params``."""
    return sorted(path.stem for path in (params / VARIANTS).glob("*.yaml"))


def parameter_values(variant: Variant) -> dict[str, Any]:
    """The variant as papermill parameters: a flat mapping of scalars."""
    return variant.model_dump()


def _siblings_hint(path: Path) -> str:
    names = sorted(sibling.name for sibling in path.parent.glob(f"*{path.suffix}"))
    return f"{path.parent} has: {', '.join(names)}" if names else f"make the file, or check the path {path.parent}"


def require_variant(name: str, params: Path, asked_by: str) -> None:
    """Raise WorkbookError, beginning with ``asked_by``, when there is no variant of that name."""
    known = variant_names(params)
    if name not in known:
        raise WorkbookError(
            f"{asked_by}unknown variant {name!r}{_closest(name, known)}: there is no {params / VARIANTS / name}.yaml",
            hint=f"choose one of: {', '.join(known)}" if known else f"make {params / VARIANTS / name}.yaml",
        )


def _closest(word: object, known: Iterable[str]) -> str:
    close = get_close_matches(str(word), list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _refuse_unknown_keys(model: type[BaseModel], values: Mapping[str, Any], source: str) -> None:
    known = sorted(model.model_fields)
    unknown = [f"{source}: unknown key {key!r}{_closest(key, known)}" for key in values if key not in known]
    if unknown:
        raise WorkbookError("\n".join(unknown), hint=f"known keys: {', '.join(known)}")


def validated(model: type[_M], values: Mapping[str, Any], source: str, origins: Mapping[str, str]) -> _M:
    """``values`` as a ``model``; ``origins``: the file that gave each key, where that is not ``source``.

    Raises WorkbookError with one line for each key that is unknown, missing or not accepted.
    """
    _refuse_unknown_keys(model, values, source)
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"])
            file = origins.get(key.split(".")[0], source)
            lines.append(f"{file}: {key}: {_explain(problem)}" if key else f"{file}: {_explain(problem)}")
        raise WorkbookError("\n".join(lines), hint="correct the value and run again") from None


_TYPES = {
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "text (in quotes, if it looks like a number)",
    "tuple_type": "a list",
}


def _explain(problem: Any) -> str:
    """One problem that pydantic found, in the words of a YAML file."""
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "missing":
        return "is required"
    if kind == "value_error":
        return str(problem["msg"].removeprefix("Value error, "))
    if kind == "literal_error":
        return f"{value!r} is not accepted: one of {context['expected'].replace(chr(39), '').replace(' or ', ', ')}"
    if kind == "string_pattern_mismatch":
        return f"{value!r} is not accepted: it must match {context['pattern']}"
    if kind == "greater_than_equal":
        return f"{value!r} is not accepted: at least {context['ge']}"
    if kind == "less_than_equal":
        return f"{value!r} is not accepted: at most {context['le']}"
    if kind == "too_short":
        return "must not be empty"
    if kind in _TYPES:
        return f"{value!r} is not accepted: must be {_TYPES[kind]}"
    return f"{value!r} is not accepted: {problem['msg']}"
