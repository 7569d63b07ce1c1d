"""Footprint of a disk image: every byte belongs to a package, to a file that no package owns, or to a part."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.stage import Stage
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.ownership import Ownership
from atomic_lib.formats.disk.ext4 import Ext4
from atomic_lib.image.disk import Image
from atomic_lib.measure.disk_map import DiskMap, map_disk
from atomic_lib.tools.context import Context

OSTREE_METADATA, ETC_COPY = "ostree-metadata", "etc-copy"
STAGE = "image-footprint"
_DEPLOYED = re.compile(r"/ostree/deploy/[^/]+(?:/deploy/[0-9a-f]{64}\.\d+(?=/)|(?=/var/))", re.DOTALL)
_PYTHON = re.compile(rb"#![^\n]*python")


@dataclass(frozen=True)
class DiskUse:
    """Space in an image: allocated bytes of the raw disk, and bytes of the qcow2."""

    image_bytes: int = 0
    qcow2_bytes: int = 0

    def __add__(self, other: "DiskUse") -> "DiskUse":
        """The sum of two."""
        return DiskUse(self.image_bytes + other.image_bytes, self.qcow2_bytes + other.qcow2_bytes)


@dataclass(frozen=True)
class ImageFootprint:
    """All of an image: ``packages`` by name, ``unowned`` files by path, and ``parts`` that only an image has.

    They add up to the image's allocated size and the qcow2's size. A file of the tree has its
    path in the tree, any other its path in the image. ``python_scripts``: files whose first
    line names Python as their interpreter.
    """

    packages: Mapping[str, DiskUse]
    unowned: Mapping[str, DiskUse]
    parts: Mapping[str, DiskUse]
    python_scripts: tuple[str, ...]

    @property
    def whole(self) -> DiskUse:
        """The sum of all."""
        return sum((*self.packages.values(), *self.unowned.values(), *self.parts.values()), DiskUse())


@dataclass(frozen=True)
class FootprintRequest:
    """An image, the tree that it was built of, and the names of its packages, sorted."""

    image: Image
    tree: Tree
    packages: tuple[str, ...]


def image_footprint(image: Image, tree: Tree, packages: Iterable[str], context: Context) -> ImageFootprint:
    """The footprint of an image of ``tree``, measured or taken from the store; see ``measure_image``."""
    stored = IMAGE_FOOTPRINT.get(FootprintRequest(image, tree, tuple(sorted(packages))), context)
    return _from_json((stored.path / "footprint.json").read_text())


def _inputs(request: FootprintRequest, _: Context) -> dict[str, object]:
    return {"image": request.image.key, "tree": request.tree.key, "packages": request.packages}


def _make(request: FootprintRequest, context: Context, directory: Path) -> None:
    footprint = measure_image(request.image, request.image.raw_disk(context), request.tree, request.packages)
    (directory / "footprint.json").write_text(_to_json(footprint))


IMAGE_FOOTPRINT = Stage(STAGE, _make, _inputs, title=lambda _: "attribute the image's bytes")


def measure_image(image: Image, raw: Path, tree: Tree, packages: Iterable[str]) -> ImageFootprint:
    """Attribute every byte of an image to a package of ``packages``, to another file, or to a part of the image.

    ``raw`` has the content of its raw disk.
    A file with several names (ostree's repository, deployment and /boot share files)
    counts under the first of its names in the deployment that a package owns.

    Raises WorkbookError naming the image file that is damaged, or where the parts do not add up to its size.
    """
    disk = map_disk(raw, image.qcow2, image.allocated_ranges(), image.allocated_bytes)
    owned = dict.fromkeys(packages, DiskUse())
    unowned: dict[str, DiskUse] = {}
    parts = {str(label): _disk_use(disk, label) for label in {*disk.image_bytes, *disk.qcow2_bytes}
             if isinstance(label, str)}  # fmt: skip
    ownership = Ownership(tree.owners(), tree.entries())
    for inode, names in disk.files.names.items():
        use = _disk_use(disk, inode)
        if use == DiskUse():
            continue
        part, path, owner = place_file(names, ownership)
        if part:
            parts[part] = parts.get(part, DiskUse()) + use
        elif owner:
            owned[owner] = owned.get(owner, DiskUse()) + use
        else:
            unowned[path] = unowned.get(path, DiskUse()) + use
    footprint = ImageFootprint(owned, dict(sorted(unowned.items())), dict(sorted(parts.items())),
                               _python_scripts(disk.files))  # fmt: skip
    _require_whole(image, footprint)
    return footprint


def place_file(names: Iterable[str], ownership: Ownership) -> tuple[str, str, str | None]:
    """Where a file of the root file system counts: part of the image, path in the tree, owner of the path."""
    paths = list(names)
    deployed = [_DEPLOYED.sub("", path) for path in paths if _DEPLOYED.match(path)]
    shared = [path for path in deployed if not path.startswith("/etc/")]
    if shared:
        return ("", *ownership.attribute(shared))
    if deployed:
        return ETC_COPY, "", None
    outside = [path for path in paths if not path.startswith("/ostree/")]
    return ("", *ownership.attribute(outside)) if outside else (OSTREE_METADATA, "", None)


def _disk_use(disk: DiskMap, label: str | int) -> DiskUse:
    return DiskUse(disk.image_bytes.get(label, 0), disk.qcow2_bytes.get(label, 0))


def _python_scripts(files: Ext4) -> tuple[str, ...]:
    """The scripts, each file once, by path in the tree."""
    found = [files.names[inode] for inode, head in files.heads.items() if _PYTHON.match(head)]
    return tuple(sorted(min(_tree_paths(names)) for names in found))


def _tree_paths(names: Iterable[str]) -> list[str]:
    paths = list(names)
    return [_DEPLOYED.sub("", path) for path in paths if _DEPLOYED.match(path)] or paths


def _require_whole(image: Image, footprint: ImageFootprint) -> None:
    whole, wanted = footprint.whole, DiskUse(image.allocated_bytes, image.compressed_bytes)
    if whole != wanted:
        raise WorkbookError(
            f"{image.directory}: the parts hold {whole.image_bytes} bytes of disk.raw and {whole.qcow2_bytes} of "
            f"disk.qcow2, but the files had {wanted.image_bytes} and {wanted.qcow2_bytes} when they were made",
            hint="they have changed since: run ./workbook clean builds, then build them again",
        )


def _to_json(footprint: ImageFootprint) -> str:
    tables = (footprint.packages, footprint.unowned, footprint.parts)
    rows = [{name: [use.image_bytes, use.qcow2_bytes] for name, use in table.items()} for table in tables]
    return json.dumps([*rows, footprint.python_scripts])


def _from_json(text: str) -> ImageFootprint:
    *tables, scripts = json.loads(text)
    packages, unowned, parts = ({name: DiskUse(*pair) for name, pair in table.items()} for table in tables)
    return ImageFootprint(packages, unowned, parts, tuple(scripts))
