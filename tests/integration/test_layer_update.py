"""atomic-min as a container image in layers: it is the commit, the same each time, and little of it is pulled anew.

It shares both trees with ``test_guest_update`` and boots nothing; both images and the first once more take 150 s.
"""

import re
import tarfile

import pytest

from atomic_lib.image.oci.components import DATABASE, UNPACKAGED, in_image
from atomic_lib.image.oci.host_image import LAYERS, HostImage, layers_made_again
from atomic_lib.image.oci.layout import blob_of
from atomic_lib.pipeline.layers.built_image import image_of
from atomic_lib.pipeline.update.variant_update import VariantUpdate, open_update
from atomic_lib.tools.sandbox import Bind

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


def test_it_is_the_same_to_the_layer_if_it_is_made_again(
    update: VariantUpdate, images: tuple[HostImage, HostImage]
) -> None:
    assert 10 < len(images[0].layers) < LAYERS
    assert layers_made_again(images[0], update.before.context) == images[0].layers


def test_an_update_changes_the_layers_of_its_packages_only(images: tuple[HostImage, HostImage]) -> None:
    before, after = images
    new = [layer for layer in after.manifest["layers"] if layer["digest"] not in before.layers]
    names = [layer["annotations"]["ostree.components"].split(",") for layer in new]
    print(names)
    assert [DATABASE] in names
    assert [UNPACKAGED] in names
    assert any("rsync" in group for group in names)
    assert len(names) <= 5


def test_it_is_pulled_as_predicted_and_is_near_the_least_possible(update: VariantUpdate) -> None:
    layers = update.layers
    print(layers)
    assert layers.same_files
    assert layers.predicted == layers.measured
    assert layers.layers - layers.reused <= 5
    assert 0 < layers.least_bytes < layers.measured.bytes < 3 * layers.least_bytes
