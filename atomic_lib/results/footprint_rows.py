"""The footprints of a tree and an image as rows of a result: packages, classes, directories, parts of the image."""

from collections.abc import Iterable

from atomic_lib.compose.tree_access.ownership import readable
from atomic_lib.measure.classes import class_of, class_of_path
from atomic_lib.measure.footprint import Footprint
from atomic_lib.measure.image_footprint import DiskUse, ImageFootprint
from atomic_lib.results.build_result import ClassSize, DirectorySize, ImagePart, PackageSize
from atomic_lib.solve.rpm_set import RpmSet


def package_sizes(rpm_set: RpmSet, footprint: Footprint) -> tuple[PackageSize, ...]:
    """Each package of the set with what it owns in the tree."""
    return tuple(
        PackageSize(
            name=package.name,
            epoch=package.epoch,
            version=package.version,
            release=package.release,
            arch=package.arch,
            vendor=package.vendor,
            bytes=footprint.packages[package.name].bytes,
            files=footprint.packages[package.name].files,
            allocated_bytes=footprint.packages[package.name].allocated_bytes,
            download_bytes=None if rpm_set.lock.commit else package.size_bytes,
            class_=class_of(package.name),
        )
        for package in rpm_set.lock.packages
    )


def unowned_sizes(footprint: Footprint) -> tuple[ClassSize, ...]:
    """The files of the tree that no package owns, each in its class."""
    return tuple(
        ClassSize(
            class_=class_of_path(entry.path), bytes=entry.size_bytes, files=1, allocated_bytes=entry.allocated_bytes
        )
        for entry in footprint.unowned
    )


def directory_sizes(footprint: Footprint) -> tuple[DirectorySize, ...]:
    """What is below each directory of the tree."""
    return tuple(
        DirectorySize(path=readable(path), bytes=size.bytes, files=size.files, allocated_bytes=size.allocated_bytes)
        for path, size in footprint.directories.items()
    )


def with_image(packages: Iterable[PackageSize], footprint: ImageFootprint) -> tuple[PackageSize, ...]:
    """The packages with what each takes in the image; 0 where all its files are empty or not in it."""
    taken = {package.name: footprint.packages.get(package.name, DiskUse()) for package in packages}
    return tuple(package.model_copy(update=vars(taken[package.name])) for package in packages)


def image_parts(footprint: ImageFootprint) -> tuple[ImagePart, ...]:
    """The parts that only an image has and the footprint classes, largest first."""
    parts = dict(footprint.parts)
    classes = [(class_of(name), taken) for name, taken in footprint.packages.items()]
    for name, taken in [*classes, *((class_of_path(path), taken) for path, taken in footprint.unowned.items())]:
        parts[name] = parts.get(name, DiskUse()) + taken
    sizes = [ImagePart(part=name, **vars(taken)) for name, taken in parts.items()]
    return tuple(sorted(sizes, key=lambda size: (-size.image_bytes, size.part)))
