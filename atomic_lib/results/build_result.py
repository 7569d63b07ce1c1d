"""The parts of a result about what was built: packages, bytes, what could be removed, changes."""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from atomic_lib.base.model import Bytes, Count, Model
from atomic_lib.measure.build_changes import Change, ChangedFiles
from atomic_lib.solve.explain.graph import Link
from atomic_lib.solve.explain.why import chain_text


class WhyLink(Model):
    """One link of the chain from the recipe to a package: which kind of dependency leads to ``package``."""

    kind: Literal["recipe", "group", "requires", "recommends", "supplements", "file"]
    package: str
    capability: str = ""


class PackageSize(Model):
    """One installed package with what it owns in the tree.

    ``bytes`` are apparent, ``allocated_bytes`` whole blocks of the tree as composed; ``image_bytes``
    what its files take on the disk image, ``qcow2_bytes`` their share of the compressed one.
    ``download_bytes`` is the size of the RPM file. ``why``: the shortest chain that brought it in. ``vendor``: who made
    it; for a package of stand-in content what it really is. ``license``: as the RPM's header states it.
    """

    name: str
    epoch: Count = 0
    version: str
    release: str
    arch: str
    vendor: str = ""
    license: str = ""
    bytes: Bytes
    files: Count
    allocated_bytes: Bytes | None = None
    image_bytes: Bytes | None = None
    qcow2_bytes: Bytes | None = None
    download_bytes: Bytes | None = None
    class_: str = Field(validation_alias="class", serialization_alias="class")
    why: tuple[WhyLink, ...] = ()


class Growth(Model):
    """How much a package or a unit contributes to a difference, ``amount``, in the unit of the figure.

    Of a package: its versions, empty where it is not installed. Of a unit: its ``package``, empty if it is not known.
    """

    name: str
    package: str = ""
    before: str = ""
    after: str = ""
    amount: float


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


class DepartureSize(Model):
    """What is removed from the tree when ``removed`` is not installed, by the solver."""

    removed: str
    title: str
    packages: tuple[str, ...]
    entries: tuple[str, ...]
    arrivals: tuple[str, ...] = ()
    bytes: Bytes
    files: Count


class Release(Model):
    """What changed since the previous build of the variant, made by the run ``run`` (``made``: UTC, ISO 8601).

    ``inputs``: parameters and versions of what made it. ``files``: None if the two images
    cannot be compared; ``files_reason`` says why.
    """

    run: str
    made: str
    inputs: tuple[Change, ...] = ()
    packages: tuple[Change, ...] = ()
    files: tuple[ChangedFiles, ...] | None = None
    files_reason: str = ""


def why_text(package: PackageSize) -> str:
    """Why the package is there: its chain as text, such as ``moby-engine (recipe) → containerd (requires)``."""
    return chain_text(tuple(Link(link.kind, link.package, link.capability) for link in package.why))


def class_sizes(packages: Iterable[PackageSize], unowned: Iterable[ClassSize]) -> tuple[ClassSize, ...]:
    """The classes of a tree: the sum of its packages' files and of those that no package owns, largest first."""
    parts: list[PackageSize | ClassSize] = [*packages, *unowned]
    of_class: dict[str, list[PackageSize | ClassSize]] = {}
    for part in parts:
        of_class.setdefault(part.class_, []).append(part)
    totals = [_class_size(name, own) for name, own in of_class.items()]
    return tuple(sorted(totals, key=lambda size: (-size.bytes, size.class_)))


def _class_size(name: str, parts: Sequence[PackageSize | ClassSize]) -> ClassSize:
    allocated = [part.allocated_bytes for part in parts if part.allocated_bytes is not None]
    return ClassSize(
        class_=name,
        bytes=sum(part.bytes for part in parts),
        files=sum(part.files for part in parts),
        allocated_bytes=sum(allocated) if len(allocated) == len(parts) else None,
    )
