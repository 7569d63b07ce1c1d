"""The stage that makes the container image of a host: the files of its commit, in layers by package.

The layers have the files as they are, as those of chunkah do, and no objects of ostree: an engine, or bootc, labels
them by the policy in the image. /usr/etc is /etc. All times are 0, as ostree has them, so that a layer depends on
nothing but its files.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import copy_file
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import Store, file_sha256
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.checkout import check_out
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.compose.tree_access.walk import Entry
from atomic_lib.image.oci.components import DATABASE, UNPACKAGED, Component, components_of, in_image
from atomic_lib.image.oci.compressed_layer import TarArchive, compressed_layer
from atomic_lib.image.oci.layer import write_layer
from atomic_lib.image.oci.layout import CompressedLayer, Description, manifest_of, write_layout
from atomic_lib.image.oci.packing import Packing, pack
from atomic_lib.tools.context import Context
from atomic_lib.tools.memory import in_memory

LAYERS = 64
"""The most layers of an image, as in ostree-ext: half of what engines take."""
_APART = (DATABASE, UNPACKAGED)
"""Components that every update changes, each in a layer by itself."""
LAYOUT = "oci"
"""The image layout in the result."""
_EPOCH = 0
_COMMAND = ("/sbin/init",)


@dataclass(frozen=True)
class HostImageRequest:
    """A commit to make an image of. ``packing``: the groups of packages of the version before, if there is one.

    ``epoch``: when the image was created, in seconds since 1970; no layer has it.
    """

    name: str
    version: str
    tree: Tree
    epoch: int
    packing: Packing = ()


@dataclass(frozen=True)
class HostImage:
    """The image: ``directory`` has its layout, ``layers`` are the descriptors of its layers."""

    request: HostImageRequest
    directory: Path
    packing: Packing

    @property
    def layout(self) -> Path:
        """The OCI image layout, a directory."""
        return self.directory / LAYOUT

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest."""
        return manifest_of(self.layout)

    @property
    def layers(self) -> tuple[str, ...]:
        """The digest of each layer, in their order."""
        return tuple(layer["digest"] for layer in self.manifest["layers"])

    @cached_property
    def contents(self) -> dict[str, str]:
        """The sha256 of each regular file, by its path."""
        digests: dict[str, str] = json.loads((self.directory / "digests.json").read_text())
        return digests


def host_image(request: HostImageRequest, context: Context) -> HostImage:
    """The image of a commit; made first if it is not in the store.

    Raises WorkbookError for a tree that is no commit, and as ``write_layer`` does.
    """
    if request.tree.commit is None:
        raise WorkbookError(f"{request.name}: has no commit to make an image of", hint="name an ostree variant")
    directory = HOST_IMAGE.get(request, context).path
    groups = json.loads((directory / "packing.json").read_text())
    return HostImage(request, directory, tuple(tuple(group) for group in groups))


def layers_made_again(image: HostImage, context: Context) -> tuple[str, ...]:
    """The digests of the layers of the same commit, made and compressed once more without the store."""
    with context.store.scratch("host-image") as scratch:
        return host_image(image.request, replace(context, store=Store(scratch))).layers


def _inputs(request: HostImageRequest, _: Context) -> dict[str, object]:
    return {
        "image": [request.name, request.version, request.epoch],
        "tree": [request.tree.key, request.tree.commit],
        "packing": request.packing,
    }


def _make(request: HostImageRequest, context: Context, directory: Path) -> None:
    entries, tools = request.tree.entries(), context.tools
    components = components_of(entries, request.tree.owners())
    packed = pack({name: one.size_bytes for name, one in components.items() if name not in _APART}, *_groups(request))
    with machine_lock(context.cache, HOST_IMAGE.title(request)), in_memory(directory / "checkout") as memory:
        check_out(tools, request.tree.repo, str(request.tree.commit), memory / "root")
        files = TreeFiles(memory / "root")
        files.move("usr/etc", "etc")
        layers = _Layers(files, _numbers(entries), memory, context)
        groups = [group for group in (*packed, *((name,) for name in _APART)) if group]
        made = [layers.make(group, components, directory / f"{number}.gz") for number, group in enumerate(groups)]
        write_layout(directory / LAYOUT, made, Description(request.name, request.version, _COMMAND, request.epoch))
    (directory / "packing.json").write_text(json.dumps(packed))
    (directory / "digests.json").write_text(json.dumps(layers.digests))


def _groups(request: HostImageRequest) -> tuple[int, Packing]:
    return LAYERS - len(_APART), request.packing


def _numbers(entries: list[Entry]) -> dict[str, int]:
    """A number for each file, by each of its paths: a checkout makes copies of what were hard links."""
    return {in_image(entry.path): entry.inode for entry in entries}


class _Layers:
    """Makes layers, and knows the sha256 of each file that they have."""

    def __init__(self, files: TreeFiles, numbers: Mapping[str, int], memory: Path, context: Context) -> None:
        self._files, self._numbers, self._memory, self._context = files, numbers, memory, context
        self.digests: dict[str, str] = {}

    def make(self, group: tuple[str, ...], components: Mapping[str, Component], target: Path) -> CompressedLayer:
        """The layer of these components, whose file is ``target``."""
        archive = self._memory / "layer.tar"
        paths = [path for name in group for path in components[name].paths]
        self.digests |= write_layer(
            self._files, archive, packaged_times={}, epoch=_EPOCH, only=paths, same_files=self._numbers
        )
        made = TarArchive(archive, file_sha256(archive))
        copy_file(compressed_layer(made, self._context), target)
        return CompressedLayer(target, made.sha256, group)


HOST_IMAGE = Stage(
    "host-image",
    _make,
    _inputs,
    title=lambda request: f"{request.name}, version {request.version}: make the image in layers",
    space_bytes=1_000_000_000,
)
