"""The figures of a container image: its packages, and what of it the host has."""

from typing import Literal

from atomic_lib.base.model import Bytes, Count, Model

Place = Literal["shared", "container", "host"]
"""Where a package is: in both, only in the container image, or only on the host."""


class PlacedPackage(Model):
    """A package with its files in the container image; of one that only the host has, in the host's tree.

    ``shared_bytes``: those of its bytes that the host has at the same path. Of several builds of one name, as of two
    architectures, the first one has the files of all: the RPM database names the owners of files without architecture.
    """

    name: str
    epoch: Count
    version: str
    release: str
    arch: str
    vendor: str = ""
    place: Place
    bytes: Bytes
    files: Count
    shared_bytes: Bytes


class FileDifference(Model):
    """A file of a package of both that is not the same in both, and why."""

    path: str
    package: str
    reason: str


class ContainerFigures(Model):
    """A container image, and what of it the host has. Checksums are sha256, in hex; ``digest`` is the manifest's.

    ``unowned_*``: the files of the image that no package owns. ``same_files``: how many files of packages of both are
    the same in both. ``deviations``: what ``rpm --verify`` says of the image's files.
    """

    name: str
    key: str
    digest: str
    archive_sha256: str
    archive_bytes: Bytes
    layer_bytes: Bytes
    packages: tuple[PlacedPackage, ...]
    unowned_bytes: Bytes
    unowned_files: Count
    unowned_shared_bytes: Bytes
    same_files: Count
    differences: tuple[FileDifference, ...]
    deviations: tuple[str, ...]
