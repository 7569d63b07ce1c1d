"""What a run leaves behind: the typed content of ``result.json`` and ``results.json``.

Every figure has its unit in its name; None means "not measured", never 0.
"""

from typing import Literal

from pydantic import Field, JsonValue, model_validator

from atomic_lib.base.model import Accelerator, Bytes, Count, Firmware, Model, Scalar, Seconds
from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.counted.probe import CountedUnit
from atomic_lib.guest.evidence.answers import Check
from atomic_lib.guest.evidence.denials import Denial
from atomic_lib.guest.evidence.milestones import Milestone
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.guest.evidence.systemd import Phases
from atomic_lib.guest.evidence.unit_times import UnitTime
from atomic_lib.guest.vm.host_load import BootHost
from atomic_lib.results.build_result import (
    Changed,
    ChangedFile,
    ChangedFiles,
    ClassSize,
    Departure,
    DirectorySize,
    ExplainedLabels,
    ImagePart,
    Labels,
    PackageSize,
    Release,
    WhyLink,
    WrongLabel,
)
from atomic_lib.results.verification import Verification

__all__ = [
    "SCHEMA_VERSION",
    "Accelerator",
    "Boot",
    "BootHost",
    "Bytes",
    "Cell",
    "Changed",
    "ChangedFile",
    "ChangedFiles",
    "Check",
    "ClassSize",
    "Count",
    "CountedBoot",
    "CountedUnit",
    "Denial",
    "Departure",
    "DirectorySize",
    "EarlierFigures",
    "ExplainedLabels",
    "Factor",
    "Failure",
    "Firmware",
    "ImagePart",
    "Labels",
    "Listener",
    "Milestone",
    "PackageSize",
    "Phases",
    "Release",
    "Scalar",
    "Seconds",
    "StageTime",
    "Status",
    "Step",
    "StudyResult",
    "UnitTime",
    "VariantResult",
    "WhyLink",
    "WrongLabel",
]

SCHEMA_VERSION = 3

Status = Literal["ok", "failed", "incomplete"]


class Failure(Model):
    """Why a variant failed: the stage, what is wrong, the next step, the last lines of the log."""

    stage: str
    message: str
    hint: str = ""
    log: str = ""


class FailedBoot(Model):
    """A boot that failed, in this run or an earlier one of the same image. ``started``: UTC, ISO 8601.

    ``firmware``: "bios", "uefi", or "counted" for a counted boot.
    """

    firmware: Literal["bios", "uefi", "counted"]
    index: Count
    started: str | None
    reason: str


class StageTime(Model):
    """One stage of the build: how long it took when it was made, and whether this run reused it."""

    stage: str
    seconds: Seconds
    reused: bool
    key: str


class VariantResult(Model):
    """One variant of one run. Figures of stages that were not reached are None."""

    schema_version: Literal[3] = 3
    variant: str
    description: str = ""
    status: Status
    error: Failure | None = None
    method: Literal["ostree", "traditional"]
    content: str
    recipe: str
    agent: str
    parameters: dict[str, Scalar] = Field(default_factory=dict)
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
    forbidden_paths: dict[str, Count] = Field(default_factory=dict)
    labels: Labels | None = None
    boots: tuple[Boot, ...] = ()
    counted_boots: tuple[CountedBoot, ...] = ()
    failed_boots: tuple[FailedBoot, ...] = ()
    release: Release | None = None
    stages: tuple[StageTime, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: dict[str, JsonValue] = Field(default_factory=dict)

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


class Step(Model):
    """One decision on the way from the baseline: taking it leads to ``variant``."""

    decision: str
    variant: str


class Factor(Model):
    """One factor of a study; the first of ``levels`` is that of the base cell."""

    name: str
    levels: tuple[str, ...]


class Cell(Model):
    """One cell of a factor study: the variant that has these levels, by factor."""

    variant: str
    levels: dict[str, str]


class EarlierFigures(Model):
    """What a variant that failed had when it last succeeded: figures by their names in comparison.csv, and the run."""

    variant: str
    run: str
    figures: dict[str, float]


class StudyResult(Model):
    """All variants of one run. ``created``: UTC, ISO 8601.

    ``steps``: the waterfall's way from the baseline, one decision each. ``cells``: which
    variants are cells of the factor study; empty where it is none. ``fallbacks``: which variant
    stands in for one that fails. ``earlier``: of variants that failed in this run.
    """

    schema_version: Literal[3] = 3
    study: str
    title: str
    baseline: str
    run: str
    created: str
    variants: tuple[VariantResult, ...]
    steps: tuple[Step, ...] = ()
    factors: tuple[Factor, ...] = ()
    cells: tuple[Cell, ...] = ()
    fallbacks: dict[str, str] = Field(default_factory=dict)
    earlier: tuple[EarlierFigures, ...] = ()
    provenance: dict[str, JsonValue] = Field(default_factory=dict)

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
