"""A directory that a web server serves as a registry, and what a client of it downloads to have another version.

Source of the paths: OCI Distribution Specification 1.1, "Pull". A client that knows the tag asks for the manifest, and
then for the configuration and the layers that it does not have. Bytes are those of the bodies.
"""

import os
from pathlib import Path

from atomic_lib.compose.update.download_prediction import Download, ServedFile, download_of
from atomic_lib.image.oci.host_image import HostImage
from atomic_lib.image.oci.layout import blob_of, manifest_file


def manifest_path(image: HostImage) -> str:
    """Where a registry has the manifest."""
    return f"v2/{image.request.name}/manifests/{image.request.version}"


def blob_path(name: str, digest: str) -> str:
    """Where a registry has a blob of the images ``name``."""
    return f"v2/{name}/blobs/{digest}"


def serve_image(image: HostImage, directory: Path) -> None:
    """Fill a directory with hard links to the files of the image's layout, which must be on the same file system."""
    blobs = [image.manifest["config"], *image.manifest["layers"]]
    files = {blob_path(image.request.name, blob["digest"]): blob_of(image.layout, blob) for blob in blobs}
    for path, file in {manifest_path(image): manifest_file(image.layout), **files}.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(file, directory / path)


def predict_pull(before: HostImage, after: HostImage) -> Download:
    """What a client with ``before`` downloads to have ``after``: its manifest, its configuration, its new layers."""
    name, layers = after.request.name, after.manifest["layers"]
    new = [after.manifest["config"], *(layer for layer in layers if layer["digest"] not in before.layers)]
    blobs = (ServedFile(blob_path(name, blob["digest"]), blob["size"]) for blob in new)
    manifest = ServedFile(manifest_path(after), manifest_file(after.layout).stat().st_size)
    return download_of([manifest, *blobs])
