"""What a registry serves of an image, and what a client that has another version downloads."""

from pathlib import Path

import pytest

from atomic_lib.compose.update.download_prediction import ServedFile
from atomic_lib.image.oci.layout import manifest_file
from atomic_lib.image.oci.registry import predict_pull, serve_image
from tests.image.oci.hosts import FILES, image_context, make_host, make_image


def test_only_the_manifest_the_configuration_and_new_layers_are_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = image_context(tmp_path / "context", monkeypatch)
    before = make_image(context, make_host(tmp_path / "1"))
    after = make_image(context, make_host(tmp_path / "2", FILES | {"usr/bin/one": "new"}), "2", before.packing)
    layer, configuration = after.manifest["layers"][0], after.manifest["config"]
    assert predict_pull(before, after).files == (
        *sorted(ServedFile(f"v2/host/blobs/{blob['digest']}", blob["size"]) for blob in (layer, configuration)),
        ServedFile("v2/host/manifests/2", manifest_file(after.layout).stat().st_size),
    )
    serve_image(after, tmp_path / "registry")
    served = {str(path.relative_to(tmp_path / "registry")) for path in (tmp_path / "registry").rglob("*:*")}
    assert served == {f"v2/host/blobs/{blob}" for blob in (*after.layers, configuration["digest"])}
    assert (tmp_path / "registry/v2/host/manifests/2").read_bytes() == manifest_file(after.layout).read_bytes()
