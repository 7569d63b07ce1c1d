"""Parameters of a variant: one typed model, read from flat YAML.

A variant file is also a papermill parameter file: ``papermill -f params/base.yaml
-f params/variants/NAME.yaml``. Every key is validated here, because papermill itself only
warns about an unknown one and checks no type.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Accelerator, Agent, DataSource, Runtime, SelinuxMode
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.params.schema import Name, ParamsModel, closest, read_yaml_mapping, refuse_unknown_keys, validated

OVERRIDE = "override"
"""What an error calls the source of parameters that were given for one run."""
_IDENTITY = ("variant", "method", "recipe", "description")
VARIANTS = "variants"
"""The directory of ``params`` with a file for each variant."""


_MAKE_KEY = (
    "an image that takes updates over a network needs a key of your own; make one with "
    "gpg --batch --passphrase '' --quick-generate-key NAME ed25519 sign never, write it to a file with "
    "gpg --armor --export-secret-keys NAME, and name the file in signing_key"
)


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


def variant_from(values: Mapping[str, Any], source: str = "parameters") -> Variant:
    """A validated variant; ``source`` (a file name) appears in the error.

    Raises WorkbookError naming ``source``, key, the value given and what is accepted.
    """
    return validated(Variant, values, source, {})


def load_variant(name: str, params: Path = PARAMS_DIRECTORY, overrides: Mapping[str, Any] | None = None) -> Variant:
    """The variant ``params/variants/NAME.yaml`` over ``params/base.yaml``, with ``overrides`` over both.

    Raises WorkbookError naming the file (or "override") that gave a value that is not accepted.
    """
    return load_layered(name, params, {OVERRIDE: overrides or {}})


def load_layered(name: str, params: Path, over: Mapping[str, Mapping[str, Any]]) -> Variant:
    """The variant of ``load_variant``; ``over``: layers of values by what gave them, the later over the earlier.

    Raises WorkbookError naming the file or layer that gave a value that is not accepted, and for an
    override that contradicts the file.
    """
    path = params / VARIANTS / f"{name}.yaml"
    require_variant(name, params, "")
    layers = {**{str(file): read_yaml_mapping(file) for file in (params / "base.yaml", path)}, **over}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source, layer in layers.items():
        refuse_unknown_keys(Variant, layer, source)
        if source == OVERRIDE:
            _refuse_contradictions(layer, values, path)
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


def require_variant(name: str, params: Path, asked_by: str) -> None:
    """Raise WorkbookError, beginning with ``asked_by``, when there is no variant of that name."""
    known = variant_names(params)
    if name not in known:
        raise WorkbookError(
            f"{asked_by}unknown variant {name!r}{closest(name, known)}: there is no {params / VARIANTS / name}.yaml",
            hint=f"choose one of: {', '.join(known)}" if known else f"make {params / VARIANTS / name}.yaml",
        )


def _refuse_contradictions(overrides: Mapping[str, Any], values: Mapping[str, Any], path: Path) -> None:
    """What makes a variant the one of its name is no override: the result would be filed under another's name."""
    for key in _IDENTITY:
        if key in overrides and overrides[key] != values.get(key, ""):
            raise WorkbookError(
                f"{OVERRIDE}: {key}: {overrides[key]!r} contradicts {path}, which says {values.get(key, '')!r}",
                hint="leave it out, or choose the variant that it belongs to; a variant of your own is a file in "
                f"{path.parent}",
            )
