"""An update as layers: what a client pulls is as predicted, and what it was given is checked."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.layers import layer_update as module
from atomic_lib.guest.layers.layer_pull import pull_image
from atomic_lib.guest.layers.layer_update import LayerVersions, layer_update
from atomic_lib.image.oci.host_image import HostImage
from atomic_lib.image.oci.registry import predict_pull, serve_image
from atomic_lib.tools.context import Context
from tests.image.oci.hosts import FILES, image_context, make_host, make_image


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    return image_context(tmp_path / "context", monkeypatch)


@pytest.fixture
def versions(context: Context, tmp_path: Path) -> LayerVersions:
    before = make_image(context, make_host(tmp_path / "1"))
    files = FILES | {"usr/bin/one": "one of version 2", "usr/bin/two": FILES["usr/bin/one"]}
    return LayerVersions(before, make_image(context, make_host(tmp_path / "2", files), "2", before.packing))


def test_a_client_pulls_exactly_what_was_predicted(versions: LayerVersions, context: Context) -> None:
    update = layer_update(versions, context)
    assert update.same_files
    assert update.measured == update.predicted
    assert (update.predicted.requests, update.layers, update.reused) == (4, 5, 3)
    assert (update.new_files, update.new_bytes) == (1, len("one of version 2"))
    layers, least = update.ways
    assert (layers.name, layers.exact, layers.loopback) == ("OCI layers", True, update.measured)
    assert (least.name, least.exact, least.predicted.bytes) == ("least possible", None, update.least_bytes)


def test_a_prediction_that_is_wrong_is_seen(
    versions: LayerVersions, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "predict_pull", lambda before, after: predict_pull(after, after))
    update = layer_update(versions, context)
    assert not update.same_files
    same_bytes = update.model_copy(update={"measured": update.predicted})
    assert same_bytes.ways[0].exact is False


def shorter(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def larger(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"x")


def other(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def gone(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shorter, "bytes with the digest sha256:"),
        (other, "bytes with the digest sha256:"),
        (larger, "has more than"),
        (gone, "cannot be downloaded: HTTP Error 404"),
    ],
)
def test_a_blob_that_is_not_what_the_manifest_says_is_refused(
    versions: LayerVersions, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    copied_registry(versions.after, tmp_path)
    damage(tmp_path / f"registry/v2/host/blobs/{versions.after.layers[0]}")
    (tmp_path / "held").mkdir()
    with pytest.raises(WorkbookError, match=said):
        pull_image(tmp_path / "registry", "host", "2", tmp_path / "held")


def test_a_client_without_anything_pulls_all_and_has_it_then(versions: LayerVersions, tmp_path: Path) -> None:
    copied_registry(versions.after, tmp_path)
    (tmp_path / "held").mkdir()
    assert pull_image(tmp_path / "registry", "host", "2", tmp_path / "held").requests == 7
    held = {path.name for path in (tmp_path / "held").iterdir()}
    assert held == {*versions.after.layers, versions.after.manifest["config"]["digest"]}
    assert all(
        f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" == path.name for path in (tmp_path / "held").iterdir()
    )
    again = pull_image(tmp_path / "registry", "host", "2", tmp_path / "held")
    assert [file.path for file in again.files] == ["v2/host/manifests/2"]


def copied_registry(image: HostImage, directory: Path) -> None:
    """A registry whose files may be damaged."""
    serve_image(image, directory / "links")
    for file in (directory / "links").rglob("*"):
        if file.is_file():
            target = directory / "registry" / file.relative_to(directory / "links")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
