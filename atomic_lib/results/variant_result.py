"""One variant of a run: the typed content of ``result.json``.

Every figure has its unit in its name; None means "not measured", never 0.
"""

from typing import Literal

from pydantic import Field, JsonValue, model_validator

from atomic_lib.base.model import Bytes, Count, Model, Scalar, Seconds
from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.measure.container.container_figures import ContainerFigures
from atomic_lib.measure.guards.image_guards import Guard
from atomic_lib.measure.labels import Labels
from atomic_lib.results.build_result import ClassSize, DepartureSize, DirectorySize, ImagePart, PackageSize, Release
from atomic_lib.results.verification import Verification

SCHEMA_VERSION = 3

Status = Literal["ok", "failed", "incomplete"]


class Failure(Model):
    """Why a variant failed: the stage, what is wrong, the next step, the last lines of the log."""

    stage: str
    message: str
    hint: str = ""
    log: str = ""


class FailedBoot(Model):
    """A boot that was tried and failed: no login in time, a failed proof of life. ``started``: UTC, ISO 8601.

    ``firmware``: that of a boot by wall clock, or "counted" for one under instruction counting.
    """

    firmware: Literal["bios", "uefi", "counted"]
    index: Count
    started: str | None = None
    reason: str


class StageTime(Model):
    """One stage of the build: how long it took when it was made, and whether this run reused it."""

    stage: str
    seconds: Seconds
    reused: bool
    key: str


class ContentSummary(Model):
    """What the packages are: the title of the content, the release, and whether it stands in for a distribution's."""

    title: str
    releasever: str
    standin: bool


class VariantResult(Model):
    """One variant of one run. Figures of stages that were not reached are None."""

    schema_version: Literal[3] = 3
    variant: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=200)  # the name of a directory
    description: str = ""
    status: Status
    error: Failure | None = None
    method: Literal["ostree", "traditional"]
    content: str
    content_summary: ContentSummary | None = None
    left_out: tuple[str, ...] = ()
    """The entries of the recipe that are left out, because stand-in content has no counterpart for them."""
    entry_count: Count | None = None
    """The packages that the recipe names, with those that are left out."""
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
    departures: tuple[DepartureSize, ...] = ()
    container: ContainerFigures | None = None
    """The container image that is made of the same RPM files."""
    container_lock_sha256: str | None = None
    """The lock of its packages; None also in results of versions that did not record it."""
    tree_allocated_bytes: Bytes | None = None
    forbidden_paths: dict[str, Count] = Field(default_factory=dict)
    labels: Labels | None = None
    guards: tuple[Guard, ...] | None = None
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
