"""The image of a host: the same each time, all of its files once, and few layers that change with an update."""

import json
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.image.oci.components import DATABASE, UNPACKAGED
from atomic_lib.image.oci.host_image import HOST_IMAGE, HostImage, host_image, layers_made_again
from atomic_lib.image.oci.layout import blob_of
from atomic_lib.tools.context import Context
from tests.image.oci.hosts import FILES, image_context, make_host, make_image


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    return image_context(tmp_path / "context", monkeypatch)


def components(image: HostImage) -> list[str]:
    return [layer["annotations"]["ostree.components"] for layer in image.manifest["layers"]]


def changed(before: HostImage, after: HostImage) -> set[str]:
    """The components of the layers that the version before does not have."""
    named = zip(after.layers, components(after), strict=True)
    return {name for digest, name in named if digest not in before.layers}


def test_the_layers_in_their_order_are_the_tree(context: Context, tmp_path: Path) -> None:
    image = make_image(context, make_host(tmp_path / "host"))
    texts, others = {}, {}
    for layer in image.manifest["layers"]:
        with tarfile.open(blob_of(image.layout, layer)) as archive:
            for member in archive:
                assert member.mtime == 0
                if member.isreg():
                    assert member.name not in texts
                    file = archive.extractfile(member)
                    texts[member.name] = file.read().decode() if file else ""
                else:
                    others[member.name] = member
    assert texts == {path.replace("usr/etc/", "etc/"): text for path, text in FILES.items()}
    assert others["home"].linkname == "var/home"
    assert {"etc", "sysroot", "usr", "usr/bin", "usr/lib", "usr/lib/sysimage", "usr/lib/sysimage/rpm"} < {*others}
    assert "usr/etc" not in others
    assert all(stat.S_IMODE(member.mode) == 0o755 for member in others.values() if member.isdir())


def test_each_package_has_its_layer_and_what_every_update_changes_comes_last(context: Context, tmp_path: Path) -> None:
    image = make_image(context, make_host(tmp_path / "host"))
    assert components(image) == ["one", "three", "two", DATABASE, UNPACKAGED]
    assert image.packing == (("one",), ("three",), ("two",), ())
    assert image.contents["etc/three.conf"] == "8b5b9db0c13db24256c829aa364aa90c6d2eba318b9232a4ab9313b954d3555f"


def test_an_image_made_again_without_the_store_has_the_same_layers(context: Context, tmp_path: Path) -> None:
    image = make_image(context, make_host(tmp_path / "host"))
    assert layers_made_again(image, context) == image.layers


def test_a_layer_that_differs_is_seen(context: Context, tmp_path: Path) -> None:
    image = make_image(context, make_host(tmp_path / "host"))
    (tmp_path / "host/repo/root/usr/bin/two").write_text("another")
    again = layers_made_again(image, context)
    assert [one == other for one, other in zip(again, image.layers, strict=True)] == [True, True, False, True, True]


def test_an_update_changes_the_layers_of_its_packages_only(context: Context, tmp_path: Path) -> None:
    before = make_image(context, make_host(tmp_path / "1"))
    files = FILES | {"usr/bin/two": "two of version 2", "usr/lib/sysimage/rpm/rpmdb.sqlite": "one two three 2"}
    after = make_image(context, make_host(tmp_path / "2", files), "2", before.packing)
    assert changed(before, after) == {"two", DATABASE}


def test_a_new_package_has_a_layer_of_its_own_and_changes_no_other(context: Context, tmp_path: Path) -> None:
    files = {path: text for path, text in FILES.items() if "one" not in path}
    before = make_image(context, make_host(tmp_path / "1", files))
    after = make_image(context, make_host(tmp_path / "2"), "2", before.packing)
    assert changed(before, after) == {"one"}
    assert after.packing == (("three",), ("two",), ("one",))


def test_the_version_and_the_time_change_no_layer(context: Context, tmp_path: Path) -> None:
    tree = make_host(tmp_path / "host")
    one, other = make_image(context, tree), make_image(context, tree, "2")
    assert one.layers == other.layers
    assert one.manifest["config"] != other.manifest["config"]
    configuration = json.loads(blob_of(one.layout, one.manifest["config"]).read_text())
    assert configuration["config"]["Cmd"] == ["/sbin/init"]
    assert len(configuration["rootfs"]["diff_ids"]) == len(configuration["history"]) == 5


def test_the_key_has_the_groups_of_the_version_before(context: Context, tmp_path: Path) -> None:
    request = make_image(context, make_host(tmp_path / "host")).request
    later = replace(request, packing=(("one", "two"), ()))
    assert HOST_IMAGE.key_inputs(later, context) != HOST_IMAGE.key_inputs(request, context)
    assert components(host_image(later, context)) == ["one,two", "three", DATABASE, UNPACKAGED]


def test_a_tree_without_a_commit_is_refused(context: Context, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="host: has no commit to make an image of"):
        make_image(context, replace(make_host(tmp_path / "host"), commit=None))
