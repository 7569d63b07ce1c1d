"""The parts of a result that are about what was built: packages, bytes, labels, changes."""

from typing import Literal

from pydantic import Field, model_validator

from atomic_lib.base.model import Bytes, Count, Model


class WhyLink(Model):
    """One link of the chain from the recipe to a package: what kind of need leads to ``package``."""

    kind: Literal["recipe", "group", "requires", "recommends", "supplements", "file"]
    package: str
    capability: str = ""


class PackageSize(Model):
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


class ClassSize(Model):
    """All files of one footprint class: those of its packages and those that no package owns."""

    class_: str = Field(validation_alias="class", serialization_alias="class")
    bytes: Bytes
    files: Count
    allocated_bytes: Bytes | None = None


class ImagePart(Model):
    """One part of the disk image; the parts sum to the allocated size of the raw image, and to the qcow2's.

    ``part`` is a footprint class, or what only an image has: ``partition-table``, ``boot-sectors``,
    ``esp``, ``file-system``, ``directories``, ``journal``, ``ostree-metadata``, ``etc-copy``, ``free``;
    ``host-file-system`` for what the host's file system adds, ``qcow2-metadata`` for the clusters of the
    qcow2's header, tables and refcounts, ``qcow2-gaps`` for what its compressed clusters leave unused between them.
    """

    part: str
    image_bytes: Bytes
    qcow2_bytes: Bytes


class DirectorySize(Model):
    """All files at or below one directory of the tree, hard links counted once."""

    path: str
    bytes: Bytes
    files: Count
    allocated_bytes: Bytes


class Departure(Model):
    """What leaves the tree when ``removed`` is not installed, as the solver says."""

    removed: str
    title: str
    packages: tuple[str, ...]
    entries: tuple[str, ...]
    arrivals: tuple[str, ...] = ()
    bytes: Bytes
    files: Count


class ExplainedLabels(Model):
    """The paths whose label an exception explains: how many, and one of them."""

    exception: str
    reason: str
    paths: Count
    example: str


class WrongLabel(Model):
    """A path with another label (empty: none) than the image's own policy gives it."""

    path: str
    label: str
    wanted: str


class Labels(Model):
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


class Changed(Model):
    """A package's build or a parameter, before and after; empty where there is none."""

    name: str
    before: str
    after: str


class ChangedFile(Model):
    """A path that changed: by how many bytes its content grew, and what differs."""

    path: str
    bytes: int
    what: str


class ChangedFiles(Model):
    """All paths with one kind of change: how many, by how many bytes they grew, and the ``largest`` of them."""

    change: str
    paths: Count
    bytes: int
    largest: tuple[ChangedFile, ...] = ()


class Release(Model):
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
