"""The stage that has a client pull one version of a host's image after another, and says what of it was new."""

import os
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Bytes, Count, Model, read_model
from atomic_lib.base.stage import Stage
from atomic_lib.guest.layers.layer_pull import pull_image
from atomic_lib.guest.update.update_evidence import DownloadFigures, figures_of
from atomic_lib.guest.update.update_ways import UpdateWay
from atomic_lib.image.oci.host_image import HostImage
from atomic_lib.image.oci.layout import blob_of
from atomic_lib.image.oci.new_content import new_content
from atomic_lib.image.oci.registry import predict_pull, serve_image
from atomic_lib.tools.context import Context

_RESULT = "layers.json"


@dataclass(frozen=True)
class LayerVersions:
    """The images of two versions of a host."""

    before: HostImage
    after: HostImage


class LayerUpdate(Model):
    """An update as layers. ``same_files``: whether exactly the predicted files were downloaded, each with its size.

    ``layers``: of version 2; ``reused``: those of them that version 1 has. ``new_files``: contents that version 1 does
    not have, ``new_bytes`` as they are, and ``least_bytes`` compressed: the least that an update of files can be.
    """

    predicted: DownloadFigures
    measured: DownloadFigures
    same_files: bool
    layers: Count
    reused: Count
    new_files: Count
    new_bytes: Bytes
    least_bytes: Bytes

    @property
    def ways(self) -> tuple[UpdateWay, UpdateWay]:
        """The layers as a way to have the update, and the least that there can be, as one file."""
        least = DownloadFigures(requests=1, bytes=self.least_bytes)
        layers = UpdateWay("OCI layers", self.predicted, self.measured, same_files=self.same_files)
        return layers, UpdateWay("least possible", least)


def layer_update(versions: LayerVersions, context: Context) -> LayerUpdate:
    """What the update costs as layers; measured first if it is not in the store."""
    path = LAYER_UPDATE.get(versions, context).path / _RESULT
    return read_model(LayerUpdate, path, hint="./workbook clean damaged")


def _inputs(versions: LayerVersions, _: Context) -> dict[str, object]:
    return {
        "name": versions.after.request.name,
        "version": versions.after.request.version,
        "layers": [versions.before.layers, versions.after.layers],
        "configuration": versions.after.manifest["config"],
    }


def _make(versions: LayerVersions, context: Context, directory: Path) -> None:
    before, after = versions.before, versions.after
    with context.store.scratch("layers") as scratch:
        registry, held = scratch / "registry", scratch / "held"
        serve_image(after, registry)
        _hold(before, held)
        predicted = predict_pull(before, after)
        pulled = pull_image(registry, after.request.name, after.request.version, held)
        new = new_content(context.tools, before, after, scratch)
    update = LayerUpdate(
        predicted=figures_of(predicted),
        measured=figures_of(pulled),
        same_files=predicted == pulled,
        layers=len(after.layers),
        reused=len({*after.layers} & {*before.layers}),
        new_files=new.files,
        new_bytes=new.size_bytes,
        least_bytes=new.compressed_bytes,
    )
    write_text(directory / _RESULT, update.model_dump_json(indent=1) + "\n")


def _hold(image: HostImage, held: Path) -> None:
    """Give a client the blobs of an image."""
    held.mkdir()
    for blob in (image.manifest["config"], *image.manifest["layers"]):
        os.link(blob_of(image.layout, blob), held / blob["digest"])


LAYER_UPDATE = Stage(
    "layer-update",
    _make,
    _inputs,
    title=lambda versions: (
        f"{versions.after.request.name}: pull the layers of version {versions.after.request.version} over loopback"
    ),
    space_bytes=500_000_000,
)
