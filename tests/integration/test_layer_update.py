"""atomic-min as a container image in layers: it is the commit, the same each time, and little of it is pulled anew.

It shares both trees with ``test_guest_update`` and boots nothing. Both images take 130 s beside other work; the
notebook, which makes the first once more and another version with its image, takes 200 s.
"""

import json
import os
import re
import tarfile
from pathlib import Path

import pytest

from atomic_lib.base.store import Store
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.walk import walk_tree, write_entries
from atomic_lib.image.oci.components import DATABASE, UNPACKAGED, in_image
from atomic_lib.image.oci.host_image import LAYERS, HostImage, HostImageRequest, host_image
from atomic_lib.image.oci.layout import blob_of, components_in
from atomic_lib.pipeline.layers.built_image import image_of
from atomic_lib.pipeline.update.variant_update import VariantUpdate, open_update
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind
from tests.integration.commits import make_commit
from tests.integration.test_build_and_boot import papermill

pytestmark = pytest.mark.integration

LISTED = re.compile(r"([-ld])0(\d{4}) +(\d+) +(\d+) +(\d+) (/.*?)(?: -> (.*))?")
KINDS = {tarfile.REGTYPE: "-", tarfile.LNKTYPE: "-", tarfile.SYMTYPE: "l", tarfile.DIRTYPE: "d"}


@pytest.fixture(scope="module")
def update() -> VariantUpdate:
    return open_update("atomic-min", "package config")


@pytest.fixture(scope="module")
def images(update: VariantUpdate) -> tuple[HostImage, HostImage]:
    before = image_of(update.before)
    return before, image_of(update.after, before)


def test_the_layers_are_the_commit(update: VariantUpdate, images: tuple[HostImage, HostImage]) -> None:
    found: dict[str, tuple[str, int, int, int, int, str]] = {}
    for layer in images[0].manifest["layers"]:
        with tarfile.open(blob_of(images[0].layout, layer), encoding="utf-8", errors="surrogateescape") as archive:
            for one in archive:
                assert one.isdir() or one.name not in found
                target = one.linkname if one.issym() else ""
                row = (KINDS[one.type], one.mode, one.uid, one.gid, one.size, target)
                assert found.setdefault(one.name, row) == row, one.name
    tree, binds = update.before.tree, [Bind(update.before.tree.repo, "/mnt/repo")]
    words = ["ostree", "ls", "-R", "--repo=/mnt/repo", str(tree.commit)]
    listing = update.before.context.tools.run(words, binds=binds, rights="root").stdout.splitlines()
    expected = {}
    for kind, mode, uid, gid, size, path, target in (
        found_row.groups() for line in listing if (found_row := LISTED.fullmatch(line))
    ):
        length = int(size) if kind == "-" else 0
        expected[in_image(path)] = (kind, int(mode, 8), int(uid), int(gid), length, target or "")
    assert len(expected) == len(listing) > 7000
    del expected[""]  # the root itself
    assert found == expected


def test_the_notebook_pulls_a_rebuilt_package_and_makes_all_layers_the_same_again(
    images: tuple[HostImage, HostImage], tmp_path: Path
) -> None:
    papermill("layers.ipynb", tmp_path / "layers.ipynb", "-p", "versions", "2", "-p", "packages", "1")
    cells = json.loads((tmp_path / "layers.ipynb").read_text())["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    shown = "".join("".join(output.get("text/html", "")) for output in outputs)
    assert "✗" not in shown
    assert "1 update pulled" in shown
    assert 10 < len(images[0].layers) < LAYERS
    assert f"all {len(images[0].layers)} layers of version 1 are the same if they are made again" in shown


def test_an_update_changes_the_layers_of_its_packages_only(images: tuple[HostImage, HostImage]) -> None:
    before, after = images
    new = [layer for layer in after.manifest["layers"] if layer["digest"] not in before.layers]
    names = [components_in(layer) for layer in new]
    print(names)
    assert (DATABASE,) in names
    assert (UNPACKAGED,) in names
    assert any("rsync" in group for group in names)
    assert len(names) <= 5


def test_it_is_pulled_as_predicted_and_is_near_the_least_possible(update: VariantUpdate) -> None:
    layers = update.layers
    print(layers)
    assert layers.same_files
    assert layers.predicted == layers.measured
    assert layers.layers - layers.reused <= 5
    assert 0 < layers.least_bytes < layers.measured.bytes < 3 * layers.least_bytes


def test_capabilities_of_a_commit_are_in_its_layer(update: VariantUpdate, tmp_path: Path) -> None:
    tools, value = update.before.context.tools, bytes.fromhex("0100000200040000000000000000000000000000")

    def change(root: Path) -> None:
        os.setxattr(root / "usr/bin/busybox", "security.capability", value)

    made = make_commit(tools, tmp_path, change=change)
    write_entries(walk_tree(tmp_path / "root"), tmp_path / "entries.jsonl")
    (tmp_path / "owners.json").write_text('{"/usr/bin/busybox": ["one"]}')
    tree = Tree("tiny", "ostree", tmp_path, "1", made.commit, "", (), seconds=0.0, reused=False)
    context = Context(tools, tmp_path / "cache", Store(tmp_path / "store"))
    image = host_image(HostImageRequest("tiny", "1", tree, 0), context)
    (layer,) = (one for one in image.manifest["layers"] if components_in(one) == ("one",))
    with tarfile.open(blob_of(image.layout, layer), encoding="utf-8", errors="surrogateescape") as archive:
        record = archive.getmember("usr/bin/busybox").pax_headers["SCHILY.xattr.security.capability"]
    assert record.encode("utf-8", "surrogateescape") == value
