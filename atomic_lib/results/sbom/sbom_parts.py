"""All that a tree or an image holds, as parts that add up to it to the byte: packages, other files, the disk itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.variant_result import VariantResult

DISK_PARTS: Mapping[str, str] = {
    "boot-sectors": "the boot loader's code outside of all file systems",
    "directories": "the blocks of directories",
    "esp": "the EFI system partition with the boot loader's program",
    "etc-copy": "the deployment's own copy of /etc",
    "file-system": "the tables of the root file system",
    "free": "allocated space that belongs to nothing",
    "host-file-system": "what the host's file system adds to the raw image's file",
    "journal": "the journal of the root file system",
    "ostree-metadata": "ostree's repository without the files that it shares with the deployment",
    "partition-table": "the partition table and its backup",
    "qcow2-gaps": "what compressed clusters leave unused between them",
    "qcow2-metadata": "the header, tables and refcounts of the qcow2",
}
"""The parts of ``ImagePart`` that are not classes of files."""

Kind = Literal["package", "files", "disk"]


@dataclass(frozen=True)
class Part:
    """A package, the files of one class that no package owns (``name`` is the class), or a part of the disk.

    ``image_bytes`` and ``qcow2_bytes`` are None if no image was measured.
    """

    kind: Kind
    name: str
    tree_bytes: int
    tree_files: int
    image_bytes: int | None
    qcow2_bytes: int | None
    package: PackageSize | None = None


def parts_of(result: VariantResult) -> tuple[Part, ...]:
    """The parts of a variant's tree and, if it was measured, of its image.

    Raises WorkbookError if they do not add up to the tree and to the allocated and the compressed image.
    """
    parts = (*_packages(result), *_files(result), *_disk(result))
    _require_whole(result, parts)
    return parts


def _packages(result: VariantResult) -> Iterator[Part]:
    for one in result.packages:
        yield Part("package", one.name, one.bytes, one.files, one.image_bytes, one.qcow2_bytes, one)


def _files(result: VariantResult) -> Iterator[Part]:
    """The files of each class, without those of its packages."""
    in_tree = {size.class_: size for size in result.classes}
    in_image = {part.part: part for part in result.image_parts if part.part not in DISK_PARTS}
    for name in sorted({*in_tree, *in_image}):
        owned = [package for package in result.packages if package.class_ == name]
        tree, image = in_tree.get(name), in_image.get(name)
        rest = Part(
            "files",
            name,
            (tree.bytes if tree else 0) - sum(one.bytes for one in owned),
            (tree.files if tree else 0) - sum(one.files for one in owned),
            (image.image_bytes if image else 0) - sum(one.image_bytes or 0 for one in owned) if in_image else None,
            (image.qcow2_bytes if image else 0) - sum(one.qcow2_bytes or 0 for one in owned) if in_image else None,
        )
        if any((rest.tree_bytes, rest.tree_files, rest.image_bytes, rest.qcow2_bytes)):
            yield rest


def _disk(result: VariantResult) -> Iterator[Part]:
    for part in sorted(result.image_parts, key=lambda one: one.part):
        if part.part in DISK_PARTS:
            yield Part("disk", part.part, 0, 0, part.image_bytes, part.qcow2_bytes)


def _require_whole(result: VariantResult, parts: tuple[Part, ...]) -> None:
    figures = [("tree_bytes", result.tree_bytes), ("tree_files", result.tree_files)]
    if result.image_parts:
        figures += [("image_bytes", result.image_allocated_bytes), ("qcow2_bytes", result.image_compressed_bytes)]
    for figure, whole in figures:
        values = [getattr(part, figure) or 0 for part in parts]
        wrong = ""
        if sum(values) != (whole or 0):
            wrong = f"the parts have {sum(values)} {figure}, but {whole} were measured"
        elif min(values, default=0) < 0:
            wrong = f"packages have more {figure} than the class that they belong to"
        if wrong:
            raise WorkbookError(
                f"{result.variant}: SBOM: {wrong}", hint="the result contradicts itself: run ./workbook run again"
            )
