"""What a run leaves behind: the typed content of ``result.json`` and ``results.json``.

Every figure has its unit in its name; None means "not measured", never 0.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from atomic_lib.report.verification import Verification

SCHEMA_VERSION = 2

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


class WhyLink(_Model):
    """One link of the chain from the recipe to a package: what kind of need leads to ``package``."""

    kind: Literal["recipe", "group", "requires", "recommends", "supplements", "file"]
    package: str
    capability: str = ""


class PackageSize(_Model):
    """One installed package with what it owns in the tree.

    ``bytes`` are apparent, ``allocated_bytes`` whole blocks of the tree as composed; ``image_bytes``
    what its files take on the disk image, ``qcow2_bytes`` their share of the compressed one.
    ``download_bytes`` is the size of the RPM file. ``why``: the shortest chain that brought it in.
    """

    name: str
    epoch: Count = 0
    version: str
    release: str
    arch: str
    bytes: Bytes
    files: Count
    allocated_bytes: Bytes | None = None
    image_bytes: Bytes | None = None
    qcow2_bytes: Bytes | None = None
    download_bytes: Bytes | None = None
    class_: str = Field(validation_alias="class", serialization_alias="class")
    why: tuple[WhyLink, ...] = ()


class ClassSize(_Model):
    """All files of one footprint class: those of its packages and those that no package owns."""

    class_: str = Field(validation_alias="class", serialization_alias="class")
    bytes: Bytes
    files: Count
    allocated_bytes: Bytes | None = None


class ImagePart(_Model):
    """One part of the disk image; the parts sum to the allocated size of the raw image, and to the qcow2's.

    ``part`` is a footprint class, or what only an image has: ``partition-table``, ``boot-sectors``,
    ``esp``, ``file-system``, ``directories``, ``journal``, ``ostree-metadata``, ``etc-copy``, ``free``;
    ``host-file-system`` for what the host's file system adds, ``qcow2-metadata`` for the qcow2's own tables.
    """

    part: str
    image_bytes: Bytes
    qcow2_bytes: Bytes


class DirectorySize(_Model):
    """All files at or below one directory of the tree, hard links counted once."""

    path: str
    bytes: Bytes
    files: Count
    allocated_bytes: Bytes


class Departure(_Model):
    """What leaves the tree when ``removed`` is not installed, as the solver says."""

    removed: str
    title: str
    packages: tuple[str, ...]
    entries: tuple[str, ...]
    arrivals: tuple[str, ...] = ()
    bytes: Bytes
    files: Count


class Phases(_Model):
    """The parts of a boot, as the guest's systemd counts them; None where it could not tell."""

    firmware_loader_seconds: Seconds | None = None
    kernel_seconds: Seconds | None = None
    initrd_seconds: Seconds | None = None
    userspace_seconds: Seconds | None = None


class UnitTime(_Model):
    """One systemd unit in a boot. ``seconds``: from the start of its activation to its end.

    ``started_seconds`` counts from the start of QEMU. ``critical``: on the chain of units that
    the boot's end waited for. ``package`` owns the unit's file, None where none does.
    ``cpu_seconds`` and ``memory_bytes`` are its cgroup's, once the boot was done.
    """

    unit: str
    seconds: Seconds
    started_seconds: Seconds | None = None
    critical: bool = False
    package: str | None = None
    cpu_seconds: Seconds | None = None
    memory_bytes: Bytes | None = None


class Mark(_Model):
    """A milestone of a boot, ``seconds`` after the start of QEMU."""

    name: Literal[
        "kernel", "initrd", "userspace", "ssh-banner", "ssh-login", "provisioned", "multi-user", "docker-ready",
        "container-exited",
    ]  # fmt: skip
    seconds: Seconds


class Listener(_Model):
    """A listening socket of the running guest."""

    protocol: str
    address: str
    program: str = ""


class Denial(_Model):
    """One distinct denial of SELinux in a boot, with how often it came; ``permissive``: it was logged only.

    ``source`` and ``target`` are types; ``name``: the path, where the kernel knew it, else its last part.
    """

    permissions: tuple[str, ...]
    source: str
    target: str
    target_class: str
    comm: str = ""
    name: str = ""
    permissive: bool = False
    count: Count = 1


class CountedUnit(_Model):
    """Processor time of one unit in a counted boot."""

    unit: str
    cpu_seconds: Seconds
    package: str | None = None


class CountedBoot(_Model):
    """One boot under instruction counting. Its seconds are counted, never wall-clock seconds.

    ``busy_seconds`` is the sum of the units' and ``kernel_seconds`` (what no unit owns).
    ``milestones`` count from the start of the guest's clock. ``changed_units`` ran otherwise than
    in a plain boot; ``apparatus_seconds``, what the counting itself cost, are not in it.
    """

    busy_seconds: Seconds
    kernel_seconds: Seconds
    milestones: dict[str, Seconds] = {}
    units: tuple[CountedUnit, ...] = ()
    masked_units: tuple[str, ...] = ()
    changed_units: tuple[str, ...] = ()
    failed_units: tuple[str, ...] = ()
    apparatus_seconds: Seconds | None = None
    seed: Count | None = None
    shift: Count
    qemu_version: str | None = None
    console_log: str | None = None


class Check(_Model):
    """One proof of life."""

    name: str
    passed: bool
    detail: str = ""


class BootHost(_Model):
    """The machine that a boot was measured on. ``load_1m`` is its load average at the start.

    ``other_busy_cpus``: how many of its processors were busy with anything else, on average over the boot.
    """

    cpu_model: str | None = None
    cpus: Count | None = None
    load_1m: Seconds | None = None
    load_1m_after: Seconds | None = None
    other_busy_cpus: Seconds | None = None
    qemu_version: str | None = None


class Boot(_Model):
    """One boot of one image. Times count from the start of QEMU unless named a phase.

    ``console_log``: path relative to the run's directory. ``warm_up``: not counted in
    medians. ``started``: UTC, ISO 8601.
    ``denials``: from the kernel's start to the end of the first container; ``denials_lost`` of
    them were too many at once to be printed.
    ``marks`` are in order of time. Counts of what runs are of the moment when the boot was done.
    """

    index: Count
    warm_up: bool = False
    started: str | None = None
    firmware: Firmware
    accelerator: Accelerator
    cpus: Count | None = None
    memory_mib: Count | None = None
    ssh_login_seconds: Seconds | None = None
    docker_ready_seconds: Seconds | None = None
    script_done_seconds: Seconds | None = None
    multi_user_seconds: Seconds | None = None
    phases: Phases = Phases()
    marks: tuple[Mark, ...] = ()
    units: tuple[UnitTime, ...] = ()
    memory_used_bytes: Bytes | None = None
    memory_total_bytes: Bytes | None = None
    process_count: Count | None = None
    service_count: Count | None = None
    setuid_files: tuple[str, ...] | None = None
    listeners: tuple[Listener, ...] | None = None
    failed_units: tuple[str, ...] = ()
    selinux_mode: Literal["enforcing", "permissive", "disabled"] | None = None
    denials: tuple[Denial, ...] | None = None
    denials_lost: Count | None = None
    checks: tuple[Check, ...] = ()
    host: BootHost = BootHost()
    kernel_release: str | None = None
    console_log: str | None = None


class ExplainedLabels(_Model):
    """The paths whose label an exception explains: how many, and one of them."""

    exception: str
    reason: str
    paths: Count
    example: str


class WrongLabel(_Model):
    """A path with another label (empty: none) than the image's own policy gives it."""

    path: str
    label: str
    wanted: str


class Labels(_Model):
    """Every path of the image's root file system held against the image's own SELinux policy.

    ``unlabelled`` and ``unknown``, of type ``default_t``, are counted wherever they are: right they are
    never. ``wrong`` names the first ones of ``wrong_paths``.
    """

    policy: str
    checked: Count
    right: Count
    unlabelled: Count
    unknown: Count
    explained: tuple[ExplainedLabels, ...] = ()
    wrong_paths: Count
    wrong: tuple[WrongLabel, ...] = ()

    @property
    def explained_paths(self) -> int:
        """How many paths all exceptions together explain."""
        return sum(one.paths for one in self.explained)

    @model_validator(mode="after")
    def _adds_up(self) -> "Labels":
        if self.right + self.explained_paths + self.wrong_paths != self.checked:
            raise ValueError(f"right, explained and wrong labels do not add up to the {self.checked} checked")
        return self


class Changed(_Model):
    """A package's build or a parameter, before and after; empty where there is none."""

    name: str
    before: str
    after: str


class ChangedFile(_Model):
    """A path that changed: by how many bytes its content grew, and what differs."""

    path: str
    bytes: int
    what: str


class ChangedFiles(_Model):
    """All paths with one kind of change: how many, by how many bytes they grew, and the ``largest`` of them."""

    change: str
    paths: Count
    bytes: int
    largest: tuple[ChangedFile, ...] = ()


class Release(_Model):
    """What changed since the variant's earlier build, which the run ``run`` made (``made``: UTC, ISO 8601).

    ``inputs``: parameters and versions of what made it. ``files``: None where the two images
    cannot be compared; ``files_reason`` says why.
    """

    run: str
    made: str
    inputs: tuple[Changed, ...] = ()
    packages: tuple[Changed, ...] = ()
    files: tuple[ChangedFiles, ...] | None = None
    files_reason: str = ""


class StageTime(_Model):
    """One stage of the build: how long it took when it was made, and whether this run reused it."""

    stage: str
    seconds: Seconds
    reused: bool
    key: str


class VariantResult(_Model):
    """One variant of one run. Figures of stages that were not reached are None."""

    schema_version: Literal[2] = 2
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
    image_sha256: str | None = None
    image_compressed_sha256: str | None = None
    verified: Verification | None = None
    download_bytes: Bytes | None = None
    packages: tuple[PackageSize, ...] = ()
    classes: tuple[ClassSize, ...] = ()
    directories: tuple[DirectorySize, ...] = ()
    image_parts: tuple[ImagePart, ...] = ()
    departures: tuple[Departure, ...] = ()
    tree_allocated_bytes: Bytes | None = None
    forbidden_paths: dict[str, Count] = {}
    labels: Labels | None = None
    boots: tuple[Boot, ...] = ()
    counted_boots: tuple[CountedBoot, ...] = ()
    release: Release | None = None
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
        for total, part in (("image_allocated_bytes", "image_bytes"), ("image_compressed_bytes", "qcow2_bytes")):
            whole, parts = getattr(self, total), sum(getattr(entry, part) for entry in self.image_parts)
            if self.image_parts and whole != parts:
                raise ValueError(f"the image's parts hold {parts} {part}, but {total} is {whole}")
        return self


class Step(_Model):
    """One decision on the way from the baseline: taking it leads to ``variant``."""

    decision: str
    variant: str


class Factor(_Model):
    """One factor of a study; the first of ``levels`` is that of the base cell."""

    name: str
    levels: tuple[str, ...]


class Cell(_Model):
    """One cell of a factor study: the variant that has these levels, by factor."""

    variant: str
    levels: dict[str, str]


class EarlierFigures(_Model):
    """What a variant that failed had when it last succeeded: figures by their names in comparison.csv, and the run."""

    variant: str
    run: str
    figures: dict[str, float]


class StudyResult(_Model):
    """All variants of one run. ``created``: UTC, ISO 8601.

    ``steps``: the waterfall's way from the baseline, one decision each. ``cells``: which
    variants are cells of the factor study; empty where it is none. ``fallbacks``: which variant
    stands in for one that fails. ``earlier``: of variants that failed in this run.
    """

    schema_version: Literal[2] = 2
    study: str
    title: str
    baseline: str
    run: str
    created: str
    variants: tuple[VariantResult, ...]
    steps: tuple[Step, ...] = ()
    factors: tuple[Factor, ...] = ()
    cells: tuple[Cell, ...] = ()
    fallbacks: dict[str, str] = {}
    earlier: tuple[EarlierFigures, ...] = ()
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
