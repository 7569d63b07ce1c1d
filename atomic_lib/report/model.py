"""What a run leaves behind: the typed content of ``result.json`` and ``results.json``.

Every figure has its unit in its name; None means "not measured", never 0.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

SCHEMA_VERSION = 1

Count = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Scalar = str | int | float | bool | None
Accelerator = Literal["kvm", "tcg"]
Firmware = Literal["bios", "uefi"]
Status = Literal["ok", "failed", "incomplete"]


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class Failure(_Model):
    """Why a variant failed: the stage, what is wrong, the next step, the last lines of the log."""

    stage: str
    message: str
    hint: str = ""
    log: str = ""


class PackageSize(_Model):
    """One installed package with what it owns in the tree. ``download_bytes`` is the size of the RPM file."""

    name: str
    epoch: Count = 0
    version: str
    release: str
    arch: str
    bytes: Bytes
    files: Count
    download_bytes: Bytes | None = None
    class_: str = Field(validation_alias="class", serialization_alias="class")


class ClassSize(_Model):
    """All files of one footprint class: those of its packages and those that no package owns."""

    class_: str = Field(validation_alias="class", serialization_alias="class")
    bytes: Bytes
    files: Count


class Phases(_Model):
    """The parts of a boot, as the guest's systemd counts them; None where it could not tell."""

    firmware_loader_seconds: Seconds | None = None
    kernel_seconds: Seconds | None = None
    initrd_seconds: Seconds | None = None
    userspace_seconds: Seconds | None = None


class UnitTime(_Model):
    """How long one systemd unit took to start."""

    unit: str
    seconds: Seconds


class Check(_Model):
    """One proof of life."""

    name: str
    passed: bool
    detail: str = ""


class BootHost(_Model):
    """The machine that a boot was measured on. ``load_1m`` is its load average at the start."""

    cpu_model: str | None = None
    cpus: Count | None = None
    load_1m: Seconds | None = None
    qemu_version: str | None = None


class Boot(_Model):
    """One boot of one image. Times count from the start of QEMU unless named a phase.

    ``console_log``: path relative to the run's directory.
    """

    index: Count
    firmware: Firmware
    accelerator: Accelerator
    cpus: Count | None = None
    memory_mib: Count | None = None
    ssh_login_seconds: Seconds | None = None
    docker_ready_seconds: Seconds | None = None
    script_done_seconds: Seconds | None = None
    multi_user_seconds: Seconds | None = None
    phases: Phases = Phases()
    units: tuple[UnitTime, ...] = ()
    memory_used_bytes: Bytes | None = None
    memory_total_bytes: Bytes | None = None
    process_count: Count | None = None
    failed_units: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    host: BootHost = BootHost()
    kernel_release: str | None = None
    console_log: str | None = None


class StageTime(_Model):
    """One stage of the build: how long it took when it was made, and whether this run reused it."""

    stage: str
    seconds: Seconds
    reused: bool
    key: str


class VariantResult(_Model):
    """One variant of one run. Figures of stages that were not reached are None."""

    schema_version: Literal[1] = 1
    variant: str
    description: str = ""
    status: Status
    error: Failure | None = None
    method: Literal["ostree", "traditional"]
    content: str
    recipe: str
    agent: str
    parameters: dict[str, Scalar] = {}
    lock_sha256: str | None = None
    commit: str | None = None
    content_checksum: str | None = None
    version: str | None = None
    package_count: Count | None = None
    tree_bytes: Bytes | None = None
    tree_files: Count | None = None
    image_virtual_bytes: Bytes | None = None
    image_allocated_bytes: Bytes | None = None
    image_compressed_bytes: Bytes | None = None
    download_bytes: Bytes | None = None
    packages: tuple[PackageSize, ...] = ()
    classes: tuple[ClassSize, ...] = ()
    forbidden_paths: dict[str, Count] = {}
    boots: tuple[Boot, ...] = ()
    stages: tuple[StageTime, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: dict[str, JsonValue] = {}

    @model_validator(mode="after")
    def _is_consistent(self) -> "VariantResult":
        if (self.status == "failed") != (self.error is not None):
            raise ValueError("a failed variant has an error, and no other has one")
        for total, part in (("tree_bytes", "bytes"), ("tree_files", "files")):
            whole, parts = getattr(self, total), sum(getattr(entry, part) for entry in self.classes)
            if self.classes and whole != parts:
                raise ValueError(f"the classes hold {parts} {part}, but {total} is {whole}")
        return self


class StudyResult(_Model):
    """All variants of one run. ``created``: UTC, ISO 8601."""

    schema_version: Literal[1] = 1
    study: str
    title: str
    baseline: str
    run: str
    created: str
    variants: tuple[VariantResult, ...]
    provenance: dict[str, JsonValue] = {}

    @model_validator(mode="after")
    def _names_are_unique(self) -> "StudyResult":
        names = [result.variant for result in self.variants]
        if len(set(names)) != len(names):
            raise ValueError(f"a variant is given twice: {', '.join(names)}")
        return self

    def variant(self, name: str) -> VariantResult | None:
        """The result of one variant, if the run has it."""
        return next((result for result in self.variants if result.variant == name), None)

    def others(self) -> tuple[VariantResult, ...]:
        """All variants but the baseline."""
        return tuple(result for result in self.variants if result.variant != self.baseline)
