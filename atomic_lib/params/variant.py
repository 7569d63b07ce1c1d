"""The parameters of a variant: one typed model, read from flat YAML.

A variant file is also a papermill parameter file: ``papermill -f params/base.yaml
-f params/variants/NAME.yaml``. This module validates every key, because papermill only
warns about unknown keys and checks no types.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Accelerator, Agent, DataSource, Runtime, Scalar, SelinuxMode
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.params.schema import Name, ParamsModel, closest, read_yaml_mapping, refuse_unknown_keys, validated

OVERRIDE = "override"
"""The name of the layer of parameters given for one run, for error messages."""
_IDENTITY = ("variant", "method", "recipe", "description")
VARIANTS = "variants"
"""The directory of ``params`` with a file for each variant."""


_MAKE_KEY = (
    "an image that takes updates over a network needs a key of your own; make one with "
    "gpg --batch --passphrase '' --quick-generate-key NAME ed25519 sign never, write it to a file with "
    "gpg --armor --export-secret-keys NAME, and name the file in signing_key"
)


class Variant(ParamsModel):
    """One configuration: what to compose, how to build an image of it, and how often to boot it."""

    variant: Name
    description: str = ""
    method: Literal["ostree", "traditional"]
    """ostree: compose a commit from a treefile, or deploy that of a kickstart's ``ostreesetup``. traditional: compose
    an ordinary root file system."""
    content: Name = "standin"
    """Where packages come from: ``params/content/CONTENT.yaml``."""
    recipe: Name
    """``params/treefiles/RECIPE.yaml``; a traditional root also ``params/kickstarts/RECIPE.ks``."""
    recipe_file: str = ""
    """The path of a treefile or kickstart to read instead, relative to the checkout."""
    parts: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]*( [a-z0-9][a-z0-9.-]*)*)?$")
    """Treefiles that extend a treefile recipe, separated by spaces: ``params/treefiles/parts/NAME.yaml``."""
    strict: bool = False
    """Whether to refuse a recipe that names a package without a counterpart in stand-in content. Other content has
    all packages of a recipe, or fails."""
    lock: str = ""
    """A lock file to rebuild from, relative to the checkout; empty: resolve the packages anew."""
    version: str = Field(default="1", pattern=r"^[0-9A-Za-z._-]+$")
    source_date_epoch: int = Field(default=1735689600, ge=0)
    """The time stamp of everything that is built, in seconds since 1970; see reproducible-builds.org."""
    signing_key: str = ""
    """The OpenPGP secret key that signs an ostree variant's commits: a file without a passphrase, armored or
    binary, relative to the checkout. Empty: a key derived from the ref. That one is the same on every machine
    and not secret: use it for tests only, not for an image that others rely on."""
    remote_url: str = Field(default="file:///var/srv/ostree/repo", pattern=r"^(file:///|https?://[^/\s])\S*$")
    """Where an ostree variant's image gets updates, which must be signed by ``signing_key``. The default is a
    directory in the image that an administrator fills. An http(s) URL requires a ``signing_key``."""
    ostree_url: str = Field(default="", pattern=r"^(file:///[!-~]*|https?://[^/\s@]+(/[!-~]*)?)?$")
    """Where to pull the commit of a kickstart's ``ostreesetup`` from, instead of its ``--url``, which stays the remote
    of the image's updates."""
    ostree_variant: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]*)?$", max_length=64)
    """The variant whose commit, composed here, is deployed by a kickstart's ``ostreesetup``, in place of a remote's."""
    ostree_key: str = ""
    """The OpenPGP public keys that may have signed this commit: a file, armored or binary, relative to the checkout.
    Needed unless ``ostreesetup`` has ``--nogpg``."""
    local_rpms_key: str = ""
    """The OpenPGP public keys that signed the RPMs of ``local_rpms``: a file, relative to the checkout."""
    local_rpms_trusted: bool = False
    """Whether to use these RPMs as they are, signed or not."""
    local_rpms: str = ""
    """A directory with RPMs of your own, relative to the checkout: one more repository, in which the recipe finds
    packages. It needs ``local_rpms_key``, or ``local_rpms_trusted: true``."""
    kickstart_version: str = "F41"
    """The syntax version, by pykickstart's name for it, of a kickstart that has no line ``#version=``."""
    kernel_arguments: str = ""
    """Words to add to the kernel command line."""
    selinux: Literal["", SelinuxMode] = ""
    """The SELinux mode of the image; empty: as the recipe says."""
    weak_dependencies: Literal["", "install", "omit"] = ""
    """What to do with packages that others only recommend; empty: as the recipe says."""
    root_size_mib: int = Field(default=4096, ge=1024, le=65536)
    """The size of the root file system, unless a kickstart sets it with ``part /``."""
    agent: Agent
    """What provisions the guest; the proof of life waits until it ends. ``credentials``: systemd, without an agent."""
    automatic_return: int = Field(default=0, ge=0, le=9)
    """How often an ostree image boots a new version that does not pass its health check, before it boots the previous
    version again; 0: it has neither health check nor boot counting."""
    data_source: DataSource = "ec2"
    """Where the guest gets its key, host name and script: metadata service, disc, fw_cfg or SMBIOS tables."""
    disk_name: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]*)?$", max_length=64)
    """The name that the disk's UUIDs are derived from, so that variants that differ only in how they are booted
    share an image; empty: the variant's own name."""
    runtime: Runtime = "docker"
    """The container runtime of the guest; the proof of life runs a container with it."""
    container: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]*)?$", max_length=64)
    """The treefile ``params/treefiles/CONTAINER.yaml`` of a container image, which is made of the RPM files of this
    variant; empty: none."""
    last_stage: Literal["tree", "image", "boot"] = "boot"
    """Where to stop: after the tree and its footprint, after the disk image, or after its boots."""
    boots_bios: int = Field(default=1, ge=0, le=100)
    boots_uefi: int = Field(default=0, ge=0, le=100)
    warm_up: bool = False
    """Boot once with each firmware before the measured boots; the warm-up boot is shown, but not in any median."""
    counted_boots: int = Field(default=0, ge=0, le=100)
    """How many boots to make under instruction counting, whose times do not depend on the load of the host."""
    accelerator: Literal["auto", Accelerator] = "auto"
    guest_cpus: int = Field(default=1, ge=1, le=64)
    guest_memory_mib: int = Field(default=2048, ge=512, le=1048576)
    boot_timeout_seconds: int = Field(default=600, ge=10, le=7200)
    """The time limit for the login; a host with more work than processors stretches it."""
    script_timeout_seconds: int = Field(default=1800, ge=1, le=86400)
    """The time limit of each command in the tree: dnf with all scriptlets, a script of the recipe, dracut."""
    script_memory_mib: int = Field(default=4096, ge=256, le=1048576)
    """The memory of such a command with all its children."""
    script_processes: int = Field(default=2048, ge=16, le=1048576)
    """The processes and threads of such a command at one time."""
    script_file_size_mib: int = Field(default=2048, ge=64, le=1048576)
    """The size of the largest file that it may write."""
    script_open_files: int = Field(default=8192, ge=64, le=1048576)
    """The files that each of its processes may have open."""
    commit_size_mib: int = Field(default=8192, ge=64, le=1048576)
    """The size of a commit that is pulled: of its objects, and of its files."""
    commit_files: int = Field(default=1000000, ge=1000, le=100000000)
    """The files of such a commit."""
    recipe_roots: str = ""
    """Directories, separated by spaces and relative to the checkout, from which ``include`` and
    ``postprocess-script`` may read besides the recipe's own directory."""

    @field_validator("local_rpms")
    @classmethod
    def _signed_or_trusted(cls, directory: str, info: ValidationInfo) -> str:
        """Require that the user says whose packages these are."""
        if directory and bool(info.data.get("local_rpms_key")) == bool(info.data.get("local_rpms_trusted")):
            raise ValueError(
                f"{directory!r} needs one of two: name the file of the keys that signed its RPMs in local_rpms_key, "
                "or set local_rpms_trusted: true"
            )
        return directory

    @field_validator("automatic_return")
    @classmethod
    def _two_versions(cls, boots: int, info: ValidationInfo) -> int:
        """Require ostree: a traditional image has no previous version."""
        if boots and info.data.get("method") == "traditional":
            raise ValueError(f"{boots} is for method: ostree; a traditional image has no version to return to")
        return boots

    @field_validator("remote_url")
    @classmethod
    def _own_key_for_a_network(cls, url: str, info: ValidationInfo) -> str:
        """Require a ``signing_key`` for a network: anyone can sign with a derived key."""
        if url.startswith("http") and not info.data.get("signing_key"):
            raise ValueError(f"{url!r} is not accepted with an empty signing_key: {_MAKE_KEY}")
        return url


def variant_from(values: Mapping[str, object], source: str = "parameters") -> Variant:
    """A variant with these parameters; ``source`` is the file name for error messages.

    Raises WorkbookError naming ``source``, the key, its value and what is accepted.
    """
    return validated(Variant, values, source, {})


def load_variant(name: str, params: Path = PARAMS_DIRECTORY, overrides: Mapping[str, object] | None = None) -> Variant:
    """The variant ``params/variants/NAME.yaml``, with defaults from ``params/base.yaml``, changed by ``overrides``.

    Raises WorkbookError naming the key and its file (or "override") if a value is not accepted.
    """
    return load_layered(name, params, {OVERRIDE: overrides or {}})


def load_layered(name: str, params: Path, layers: Mapping[str, Mapping[str, object]]) -> Variant:
    """Like ``load_variant``, with several layers of overrides by the name of each layer; later layers win.

    Raises WorkbookError naming the key and its file or layer if a value is not accepted, and if the layer
    "override" changes the variant's name, method, recipe or description.
    """
    path = params / VARIANTS / f"{name}.yaml"
    require_variant(name, params, "")
    files = {str(file): read_yaml_mapping(file) for file in (params / "base.yaml", path)}
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for source, layer in {**files, **layers}.items():
        refuse_unknown_keys(Variant, layer, source)
        if source == OVERRIDE:
            _refuse_contradictions(layer, values, path)
        values.update(layer)
        sources.update(dict.fromkeys(layer, source))
    variant = validated(Variant, values, str(path), sources)
    if variant.variant != name:
        raise WorkbookError(f"{path}: variant: must match the file name: {name!r}, not {variant.variant!r}")
    return variant


def variant_names(params: Path = PARAMS_DIRECTORY) -> list[str]:
    """The names of all variants in ``params``."""
    return sorted(path.stem for path in (params / VARIANTS).glob("*.yaml"))


def parameter_values(variant: Variant) -> dict[str, Scalar]:
    """The variant as papermill parameters: a flat mapping of scalars."""
    return variant.model_dump()


def require_variant(name: str, params: Path, prefix: str) -> None:
    """Raise WorkbookError if there is no variant of that name; ``prefix`` (file and key) starts the message."""
    known, path = variant_names(params), f"{params / VARIANTS}/{name}.yaml"
    if name not in known:
        raise WorkbookError(
            f"{prefix}unknown variant {name!r}{closest(name, known)}: there is no {path}",
            hint=f"choose one of: {', '.join(known)}" if known else f"create {path}",
        )


def _refuse_contradictions(overrides: Mapping[str, object], values: Mapping[str, object], path: Path) -> None:
    """Refuse an override that would turn the variant into another one, whose results would get this one's name."""
    for key in _IDENTITY:
        if key in overrides and overrides[key] != values.get(key, ""):
            raise WorkbookError(
                f"{OVERRIDE}: {key}: {overrides[key]!r} contradicts {path}, which says {values.get(key, '')!r}",
                hint=f"remove the override, choose another variant, or add a variant of your own to {path.parent}",
            )
