"""The stage that makes a container image of a recipe: its packages are installed as a host's are, without a kernel."""

import json
from dataclasses import astuple, dataclass
from pathlib import Path

from atomic_lib.base.progress import step
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.installroot import make_installroot
from atomic_lib.compose.rpm_database import DatabaseFile, packaged_files, verify_files
from atomic_lib.compose.settings.finalize import finalize
from atomic_lib.compose.tree import LOG, recipe_inputs, write_owners
from atomic_lib.compose.tree_access.links import links_of
from atomic_lib.compose.tree_access.walk import Entry, read_entries, walk_tree, write_entries
from atomic_lib.image.oci.host_packages import ContainerPackages
from atomic_lib.image.oci.layer import write_layer
from atomic_lib.image.oci.layout import CompressedLayer, Description, write_archive, write_layout
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.tools.context import Context
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import Bind

_LAYER = "layer.tar"


@dataclass(frozen=True)
class ContainerRequest:
    """A container image to make. ``epoch``: in seconds since 1970."""

    name: str
    version: str
    epoch: int
    packages: ContainerPackages

    @property
    def recipe(self) -> Recipe:
        """The container's recipe."""
        return self.packages.recipe

    @property
    def description(self) -> Description:
        """What the image says of itself."""
        return Description(self.name, self.version, self.recipe.container_command, self.epoch)


@dataclass(frozen=True)
class ContainerImage:
    """A container image in two forms. ``digest``: the sha256 of its manifest, in hex.

    ``layer_bytes``: the size of its compressed layer. ``deviations``: what ``rpm --verify`` says of its files.
    """

    key: str
    name: str
    directory: Path
    digest: str
    archive_sha256: str
    archive_bytes: int
    layer_bytes: int
    deviations: tuple[str, ...]
    seconds: float
    reused: bool

    @property
    def layout(self) -> Path:
        """The OCI image layout, a directory."""
        return self.directory / "oci"

    @property
    def archive(self) -> Path:
        """The archive for ``docker load`` and ``podman load``."""
        return self.directory / "image.tar"

    def entries(self) -> list[Entry]:
        """All paths of the image."""
        return read_entries(self.directory / "entries.jsonl")

    def owners(self) -> dict[str, list[str]]:
        """The packages that own each path, by its name in the RPM database."""
        owners: dict[str, list[str]] = json.loads((self.directory / "owners.json").read_text())
        return owners

    def packaged(self) -> dict[str, tuple[DatabaseFile, ...]]:
        """The regular files in its RPM database, as ``packaged_files`` lists them."""
        rows = json.loads((self.directory / "packaged.json").read_text())
        return {path: tuple(DatabaseFile(*row) for row in of_path) for path, of_path in rows.items()}

    def digests(self) -> dict[str, str]:
        """The sha256 of each regular file, by its path from ``/``."""
        digests: dict[str, str] = json.loads((self.directory / "digests.json").read_text())
        return digests


def build_container(request: ContainerRequest, context: Context) -> ContainerImage:
    """The container image; made first if it is not in the store.

    Raises WorkbookError as ``make_installroot`` and ``write_layer`` do.
    """
    stored = CONTAINER.get(request, context)
    facts = json.loads((stored.path / "container.json").read_text())
    return ContainerImage(
        key=stored.key,
        name=request.name,
        directory=stored.path,
        seconds=stored.seconds,
        reused=stored.reused,
        **{**facts, "deviations": tuple(facts["deviations"])},
    )


def _inputs(request: ContainerRequest, _: Context) -> dict[str, object]:
    content, rpm_set = request.packages.content, request.packages.rpm_set
    return {
        "image": [request.name, request.version, request.epoch],
        "recipe": recipe_inputs(request.recipe),
        "lock": rpm_set.lock.sha256,
        "words": rpm_set.words,
        "content": [content.name, content.releasever, content.key_urls],
    }


def _make(request: ContainerRequest, context: Context, directory: Path) -> None:
    with machine_lock(context.cache, CONTAINER.title(request)):
        _build(request, context, directory)


def _build(request: ContainerRequest, context: Context, directory: Path) -> None:
    tools, log = context.tools, directory / LOG
    with in_memory(directory / "composed") as composed:
        tree = Installroot(tools, composed / "root", request.epoch)
        make_installroot(
            tree, request.recipe, request.packages.content, request.packages.rpm_set, context,
            name=request.name, version=request.version, log=log,
        )  # fmt: skip
        finalize(tree, request.recipe, log)
        with step(f"{request.name}: write the layer"):
            deviations = verify_files(tree)
            write_owners(tree, directory)
            write_entries(walk_tree(tree.root), directory / "entries.jsonl")
            packaged = packaged_files(tools, tree.root)
            links = links_of(tree.files)
            times = {links.real(path).lstrip("/"): rows[0].mtime for path, rows in packaged.items()}
            digests = write_layer(tree.files, directory / _LAYER, packaged_times=times, epoch=request.epoch)
    (directory / "digests.json").write_text(json.dumps({f"/{path}": digest for path, digest in digests.items()}))
    (directory / "packaged.json").write_text(
        json.dumps({path: [astuple(row) for row in rows] for path, rows in packaged.items()})
    )
    with step(f"{request.name}: compress"):
        digest = _write_image(request, context, directory)
    archive = directory / "image.tar"
    facts = {
        "digest": digest,
        "archive_sha256": file_sha256(archive),
        "archive_bytes": archive.stat().st_size,
        "layer_bytes": max(path.stat().st_size for path in (directory / "oci/blobs/sha256").iterdir()),
        "deviations": deviations,
    }
    (directory / "container.json").write_text(json.dumps(facts, indent=1))


def _write_image(request: ContainerRequest, context: Context, directory: Path) -> str:
    """Write the image in both forms; returns its digest.

    The layer is compressed by gzip, which every container engine and registry reads, and by the program in the tools
    tree: the output of zlib depends on its version.
    """
    diff_id = file_sha256(directory / _LAYER)
    binds = [Bind(directory, "/mnt/out", writable=True)]
    context.tools.run(["gzip", "--no-name", f"/mnt/out/{_LAYER}"], binds=binds)
    layer = CompressedLayer(directory / f"{_LAYER}.gz", diff_id)
    digest = write_layout(directory / "oci", [layer], request.description)
    write_archive(directory / "oci", directory / "image.tar", request.description)
    return digest


CONTAINER = Stage(
    "container", _make, _inputs, title=lambda request: f"{request.name}: make the image", space_bytes=1_000_000_000
)
