"""The two forms of an image: one image, the same bytes each time, and only what the description says."""

import gzip
import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.image.oci.layout import (
    CompressedLayer,
    Description,
    configuration_digest,
    manifest_of,
    write_archive,
    write_layout,
)

DESCRIPTION = Description("container-base", "3", ("/bin/bash", "-l"), 1_700_000_000)
TAR = b"a tar archive"
DIFF_ID = hashlib.sha256(TAR).hexdigest()


def make(directory: Path) -> str:
    """The image in both forms in a directory; returns its digest."""
    directory.mkdir()
    (directory / "layer.gz").write_bytes(gzip.compress(TAR, mtime=0))
    digest = write_layout(directory / "oci", [CompressedLayer(directory / "layer.gz", DIFF_ID)], DESCRIPTION)
    write_archive(directory / "oci", directory / "image.tar", DESCRIPTION)
    return digest


def blob(layout: Path, descriptor: dict[str, Any]) -> bytes:
    """The content that a descriptor names, with its digest and size checked."""
    algorithm, digest = descriptor["digest"].split(":")
    content: bytes = (layout / "blobs" / algorithm / digest).read_bytes()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (digest, descriptor["size"])
    return content


@pytest.fixture
def image(tmp_path: Path) -> Path:
    make(tmp_path / "image")
    return tmp_path / "image"


def test_an_image_made_twice_is_the_same_in_both_forms(image: Path, tmp_path: Path) -> None:
    digest = make(tmp_path / "again")
    assert json.loads((image / "oci/index.json").read_text())["manifests"][0]["digest"] == f"sha256:{digest}"
    assert (image / "image.tar").read_bytes() == (tmp_path / "again/image.tar").read_bytes()


def test_engines_know_the_image_by_the_digest_of_its_configuration(image: Path) -> None:
    with tarfile.open(image / "image.tar") as archive:
        file = archive.extractfile("manifest.json")
        assert file
        (docker,) = json.load(file)
    assert docker["Config"] == f"blobs/sha256/{configuration_digest(image / 'oci')}"
    assert hashlib.sha256((image / "oci" / docker["Config"]).read_bytes()).hexdigest() == (
        configuration_digest(image / "oci")
    )


def test_the_layout_leads_from_the_index_to_the_layer(image: Path) -> None:
    layout = image / "oci"
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    (listed,) = json.loads((layout / "index.json").read_text())["manifests"]
    assert listed["annotations"] == {
        "org.opencontainers.image.ref.name": "container-base:3",
        "io.containerd.image.name": "docker.io/library/container-base:3",
    }
    manifest = json.loads(blob(layout, listed))
    assert manifest["mediaType"] == listed["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert [gzip.decompress(blob(layout, layer)) for layer in manifest["layers"]] == [TAR]
    assert json.loads(blob(layout, manifest["config"])) == {
        "created": "2023-11-14T22:13:20Z",
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": ["/bin/bash", "-l"],
            "Labels": {"org.opencontainers.image.title": "container-base", "org.opencontainers.image.version": "3"},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{DIFF_ID}"]},
        "history": [{"created": "2023-11-14T22:13:20Z", "created_by": "atomic workbook"}],
    }


def test_the_archive_is_the_layout_with_dockers_manifest(image: Path, tmp_path: Path) -> None:
    with tarfile.open(image / "image.tar") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    (docker,) = json.loads((tmp_path / "out/manifest.json").read_text())
    (tmp_path / "out/manifest.json").unlink()
    files = {path.relative_to(image / "oci"): path for path in (image / "oci").rglob("*") if path.is_file()}
    assert {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()} == set(
        files
    )
    assert all((tmp_path / "out" / name).read_bytes() == path.read_bytes() for name, path in files.items())
    (listed,) = json.loads((image / "oci/index.json").read_text())["manifests"]
    manifest = json.loads(blob(image / "oci", listed))
    assert docker["RepoTags"] == ["container-base:3"]
    assert docker["Config"] == f"blobs/{manifest['config']['digest'].replace(':', '/')}"
    assert docker["Layers"] == [f"blobs/{manifest['layers'][0]['digest'].replace(':', '/')}"]


def test_layers_are_listed_in_their_order_with_what_they_are_made_of(tmp_path: Path) -> None:
    layers = []
    for name, components in (("one", ("bash", "readline")), ("two", ("the RPM database",))):
        (tmp_path / name).write_bytes(gzip.compress(name.encode(), mtime=0))
        layers.append(CompressedLayer(tmp_path / name, hashlib.sha256(name.encode()).hexdigest(), components))
    write_layout(tmp_path / "oci", layers, DESCRIPTION)
    manifest = manifest_of(tmp_path / "oci")
    assert [gzip.decompress(blob(tmp_path / "oci", layer)) for layer in manifest["layers"]] == [b"one", b"two"]
    annotations = [layer["annotations"] for layer in manifest["layers"]]
    assert annotations == [{"ostree.components": "bash,readline"}, {"ostree.components": "the RPM database"}]
    configuration = json.loads(blob(tmp_path / "oci", manifest["config"]))
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{layer.diff_id}" for layer in layers]
    assert len(configuration["history"]) == 2
