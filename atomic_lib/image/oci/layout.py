"""An image as an OCI image layout, and as one archive that ``docker load`` and ``podman load`` read.

The archive is the layout with Docker's ``manifest.json`` beside it, as ``docker save`` writes it since version 25: it
names the same blobs, so both forms are the same image.

Source of the format: OCI Image Format Specification 1.1 (image-layout.md, manifest.md, config.md, annotations.md).
"""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atomic_lib.base.store import file_sha256

_TYPE = "application/vnd.oci.image"
_COMPONENTS = "ostree.components"
"""ostree-ext's annotation of a layer: the names of its packages, with commas."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Description:
    """What the configuration of an image says. ``epoch``: when it was created, in seconds since 1970."""

    name: str
    version: str
    command: tuple[str, ...]
    epoch: int

    @property
    def tag(self) -> str:
        """``NAME:VERSION``, by which engines know the image."""
        return f"{self.name}:{self.version}"


@dataclass(frozen=True)
class CompressedLayer:
    """A layer as gzip. ``diff_id``: the sha256 of its tar archive, in hex; ``components``: what it is made of."""

    file: Path
    diff_id: str
    components: tuple[str, ...] = ()


def write_layout(layout: Path, layers: Sequence[CompressedLayer], description: Description) -> str:
    """Make the new directory ``layout`` with an image of these layers; returns the sha256 of its manifest, in hex.

    The files of the layers are moved. The components of a layer are an annotation of its descriptor.
    """
    (layout / "blobs/sha256").mkdir(parents=True)
    listed_layers = [_move_in(layout, layer) for layer in layers]
    diff_ids = [layer.diff_id for layer in layers]
    configuration = _put(layout, f"{_TYPE}.config.v1+json", _configuration(diff_ids, description))
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_TYPE}.manifest.v1+json",
        "config": configuration,
        "layers": listed_layers,
    }
    named = {
        "org.opencontainers.image.ref.name": description.tag,  # the name that podman load gives it
        "io.containerd.image.name": f"docker.io/library/{description.tag}",  # Docker with the store of containerd
    }
    listed = {**_put(layout, str(manifest["mediaType"]), manifest), "annotations": named}
    index = {"schemaVersion": 2, "mediaType": f"{_TYPE}.index.v1+json", "manifests": [listed]}
    (layout / "index.json").write_bytes(_json(index))
    (layout / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return str(listed["digest"]).removeprefix("sha256:")


def _move_in(layout: Path, layer: CompressedLayer) -> dict[str, object]:
    """Move a layer to the blobs; returns its descriptor."""
    descriptor: dict[str, object] = {
        "mediaType": f"{_TYPE}.layer.v1.tar+gzip",
        "digest": f"sha256:{file_sha256(layer.file)}",
        "size": layer.file.stat().st_size,
    }
    shutil.move(layer.file, blob_of(layout, descriptor))
    if layer.components:
        descriptor["annotations"] = {_COMPONENTS: ",".join(layer.components)}
    return descriptor


def configuration_digest(layout: Path) -> str:
    """The sha256 of the configuration of the layout's image, in hex: the id by which engines know the image.

    It names the layers by the digests of their uncompressed content.
    """
    return str(manifest_of(layout)["config"]["digest"]).removeprefix("sha256:")


def diff_ids(layout: Path) -> tuple[str, ...]:
    """The sha256 of the tar archive of each layer of the layout's image, in hex, in their order."""
    configuration = json.loads(blob_of(layout, manifest_of(layout)["config"]).read_text())
    return tuple(str(one).removeprefix("sha256:") for one in configuration["rootfs"]["diff_ids"])


def components_in(layer: Mapping[str, Any]) -> tuple[str, ...]:
    """What a layer is made of, by its descriptor."""
    return tuple(layer["annotations"][_COMPONENTS].split(","))


def manifest_file(layout: Path) -> Path:
    """The file of the manifest of a layout's image."""
    return blob_of(layout, json.loads((layout / "index.json").read_text())["manifests"][0])


def manifest_of(layout: Path) -> dict[str, Any]:
    """The manifest of the image of a layout."""
    manifest: dict[str, Any] = json.loads(manifest_file(layout).read_text())
    return manifest


def write_archive(layout: Path, archive: Path, description: Description) -> None:
    """Write the image in the directory ``layout`` as one tar archive."""
    manifest = manifest_of(layout)
    for_docker = {
        "Config": str(blob_of(layout, manifest["config"]).relative_to(layout)),
        "RepoTags": [description.tag],
        "Layers": [str(blob_of(layout, layer).relative_to(layout)) for layer in manifest["layers"]],
    }
    (layout / "manifest.json").write_bytes(_json([for_docker]))
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(layout.rglob("*")):
            member = tarfile.TarInfo(str(path.relative_to(layout)))
            member.mtime = description.epoch
            if path.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(member)
                continue
            member.size = path.stat().st_size
            with open(path, "rb") as file:
                tar.addfile(member, file)
    (layout / "manifest.json").unlink()


def _configuration(diff_ids: Sequence[str], description: Description) -> dict[str, object]:
    created = datetime.fromtimestamp(description.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {
        "org.opencontainers.image.title": description.name,
        "org.opencontainers.image.version": description.version,
    }
    return {
        "created": created,
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": [f"PATH={_PATH}"], "Cmd": list(description.command), "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}" for diff_id in diff_ids]},
        "history": [{"created": created, "created_by": "atomic workbook"} for _ in diff_ids],
    }


def _put(layout: Path, media_type: str, value: object) -> dict[str, object]:
    """Add JSON to the blobs; returns its descriptor."""
    data = _json(value)
    descriptor = {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}
    blob_of(layout, descriptor).write_bytes(data)
    return descriptor


def blob_of(layout: Path, descriptor: Mapping[str, object]) -> Path:
    """The file that a descriptor names."""
    return layout / "blobs" / str(descriptor["digest"]).replace(":", "/")


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
