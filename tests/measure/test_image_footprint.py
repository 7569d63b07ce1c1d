"""The parts of a disk image sum to its sizes; each file is where it belongs."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.ownership import Ownership
from atomic_lib.compose.tree_access.walk import Entry, write_entries
from atomic_lib.formats.disk.extents import allocated_ranges
from atomic_lib.image.disk import Image
from atomic_lib.measure.image_footprint import DiskUse, ImageFootprint, image_footprint, measure_image, place_file
from tests.contexts import own_context
from tests.formats.disk.disk_image import QCOW2_DATA, make_qcow2, make_raw
from tests.image.raw_disks import with_raw_disk

CLUSTER = 65536
DEPLOYMENT = f"ostree/deploy/os/deploy/{'c' * 64}.0"
ODD = os.fsdecode(b"odd \xff\nname")
OWNERS = {"/usr/bin/app": ["app"], "/usr/sbin/same": ["same"], "/usr/bin/script": ["app"], "/etc/app.conf": ["app"],
          "/usr/lib/sparse": ["app"], "/usr/lib/empty": ["nothing"]}  # fmt: skip


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sysroot as ostree lays it out: a repository, and a deployment whose files are links to it."""
    top = tmp_path_factory.mktemp("sysroot")
    usr, objects = top / DEPLOYMENT / "usr", top / "ostree/repo/objects/ab"
    for directory in (usr / "bin", usr / "etc", usr / "lib", objects, top / DEPLOYMENT / "etc", top / "boot",
                      top / "ostree/deploy/os/var/lib"):  # fmt: skip
        directory.mkdir(parents=True)
    files = {"bin/app": os.urandom(100_000), "bin/script": b"#! /usr/bin/env python3\n", "etc/app.conf": b"k=v\n",
             "lib/empty": b"", f"lib/{ODD}": b"z" * 9000, "bin/same": b"s" * 5000}  # fmt: skip
    for name, data in files.items():
        (usr / name).write_bytes(data)
        (objects / f"{name.encode(errors='surrogateescape').hex()}.file").hardlink_to(usr / name)
    (usr / "bin/a-copy-of-same").hardlink_to(usr / "bin/same")  # equal files are one object
    with open(usr / "lib/sparse", "wb") as sparse:
        sparse.write(b"head")
        sparse.truncate(4_000_000)
    (objects / "commit.commit").write_bytes(b"c" * 6000)
    (top / DEPLOYMENT / "etc/app.conf").write_bytes(b"k=v\n")
    (top / "boot/grub.cfg").write_bytes(b"menu\n")
    (top / "boot/app").hardlink_to(usr / "bin/app")
    (top / "ostree/deploy/os/var/lib/state").write_bytes(b"state")
    return top


@pytest.fixture
def image(content: Path, tmp_path: Path) -> Image:
    make_raw(tmp_path / "disk.raw", content)
    data = (tmp_path / "disk.raw").read_bytes()
    make_qcow2(tmp_path / "disk.qcow2", data, plain=frozenset({5}))
    copy = shutil.copyfile(tmp_path / "disk.raw", tmp_path / "copy.raw")
    image = with_raw_disk(copy, tmp_path, own_context(tmp_path))
    (tmp_path / "allocated.json").write_text(json.dumps(allocated_ranges(tmp_path / "disk.raw")))
    allocated_bytes = (tmp_path / "disk.raw").stat().st_blocks * 512
    return replace(image, allocated_bytes=allocated_bytes, compressed_bytes=image.qcow2.stat().st_size)


def raw_of(image: Image) -> Path:
    """The raw disk of the image, as it was made."""
    return image.directory / "disk.raw"


def measured(image: Image, tree: Tree) -> ImageFootprint:
    return measure_image(image, raw_of(image), tree, ["app", "same", "nothing"])


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "owners.json").write_text(json.dumps(OWNERS))
    write_entries([Entry("/usr/sbin", "link", 3, 0, 1, "bin")], tmp_path / "entries.jsonl")
    return Tree("tree", "ostree", tmp_path, "6.12", "c" * 64, "d" * 64, (), 1.0, False)


@pytest.fixture
def footprint(image: Image, tree: Tree) -> ImageFootprint:
    return measured(image, tree)


def test_the_parts_sum_to_the_whole(image: Image, footprint: ImageFootprint) -> None:
    assert footprint.whole == DiskUse(image.allocated_bytes, image.compressed_bytes)
    assert footprint.whole.image_bytes == raw_of(image).stat().st_blocks * 512
    assert footprint.whole.qcow2_bytes == (image.qcow2).stat().st_size


def test_each_file_takes_its_blocks_where_it_belongs(footprint: ImageFootprint) -> None:
    taken = {name: taken.image_bytes for name, taken in footprint.packages.items()}
    assert taken == {"app": 102_400 + 4096 + 4096 + 4096, "same": 8192, "nothing": 0}
    unowned = {path: taken.image_bytes for path, taken in footprint.unowned.items()}
    assert unowned == {f"/usr/lib/{ODD}": 12288, "/boot/grub.cfg": 4096, "/var/lib/state": 4096}
    parts = {part: taken.image_bytes for part, taken in footprint.parts.items()}
    assert (parts["ostree-metadata"], parts["etc-copy"], parts["esp"]) == (8192, 4096, 4096)
    assert parts["boot-sectors"] == 440 + 4096
    assert 2 * 1024 <= parts["partition-table"] <= 34 * 512 - 440 + 33 * 512  # its zeros are holes
    assert 0 < parts["directories"] < 200_000
    assert {"file-system", "qcow2-metadata", "qcow2-gaps"} <= set(parts)


def test_what_is_not_zero_pays_for_the_compressed_bytes(footprint: ImageFootprint) -> None:
    app, odd = footprint.packages["app"], footprint.unowned[f"/usr/lib/{ODD}"]
    assert 0 < app.qcow2_bytes < app.image_bytes
    assert 0 < odd.qcow2_bytes < odd.image_bytes
    assert footprint.parts["qcow2-metadata"] == DiskUse(0, QCOW2_DATA)
    assert footprint.parts["qcow2-gaps"].image_bytes == 0 < footprint.parts["qcow2-gaps"].qcow2_bytes
    assert footprint.packages["nothing"] == DiskUse()


def test_python_is_known_by_its_first_line(footprint: ImageFootprint) -> None:
    assert footprint.python_scripts == ("/usr/bin/script",)


def test_a_footprint_is_kept(image: Image, tree: Tree, footprint: ImageFootprint, tmp_path: Path) -> None:
    context = own_context(tmp_path)
    assert image_footprint(image, tree, ["app", "same", "nothing"], context) == footprint
    shutil.rmtree(image.raw_path(context).parent)
    assert image_footprint(image, tree, ["nothing", "same", "app"], context) == footprint


@pytest.mark.parametrize("densely", [True, False])
def test_a_raw_disk_with_other_holes_has_the_same_footprint(
    image: Image, tree: Tree, footprint: ImageFootprint, tmp_path: Path, densely: bool
) -> None:
    data = raw_of(image).read_bytes()
    raw_of(image).unlink()
    with open(raw_of(image), "wb") as file:
        for start in range(0, len(data), 4096):
            block = data[start : start + 4096]
            if densely or block.strip(b"\0"):
                file.seek(start)
                file.write(block)
        file.truncate(len(data))
    assert allocated_ranges(raw_of(image)) != image.allocated_ranges()
    assert measured(image, tree) == footprint


@pytest.mark.parametrize(
    ("names", "place"),
    [
        (["/usr/bin/app"], ("", "/usr/bin/app", "app")),
        (["/boot/x", f"/{DEPLOYMENT}/usr/bin/app"], ("", "/usr/bin/app", "app")),
        (["/boot/x", "/ostree/repo/objects/a/b.file"], ("", "/boot/x", None)),
        ([f"/{DEPLOYMENT}/etc/app.conf"], ("etc-copy", "", None)),
        ([f"/{DEPLOYMENT}/etc/same", f"/{DEPLOYMENT}/usr/bin/same"], ("", "/usr/bin/same", "same")),
        ([f"/{DEPLOYMENT}.origin"], ("ostree-metadata", "", None)),
        (["/ostree/repo/config"], ("ostree-metadata", "", None)),
        (["/etc/app.conf"], ("", "/etc/app.conf", "app")),
    ],
)
def test_a_file_counts_where_it_belongs(names: list[str], place: tuple[str, str, str | None]) -> None:
    assert place_file(names, Ownership(OWNERS, [Entry("/usr/sbin", "link", 3, 0, 1, "bin")])) == place


def cut(path: Path, size_bytes: int) -> None:
    os.truncate(path, size_bytes)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda image: cut(raw_of(image), 10_000_000), "disk.raw: cut off: 10000000 bytes"),
        (lambda image: cut(raw_of(image), 0), "disk.raw: empty"),
        (lambda image: cut(image.qcow2, CLUSTER), "disk.qcow2: damaged or cut off"),
        (lambda image: image.qcow2.write_bytes(b"no image" * 100), "disk.qcow2: not a qcow2 image"),
        (
            lambda image: make_qcow2(image.qcow2, b"a" * CLUSTER),
            "disk.qcow2: a disk of 65536 bytes, but .*disk.raw has",
        ),
        (lambda image: raw_of(image).write_bytes(b"x" * 100_000), "disk.raw: no GPT"),
        (lambda image: raw_of(image).unlink(), "disk.raw: cannot be read: No such file"),
    ],
)
def test_what_is_not_the_image_is_named(
    image: Image, tree: Tree, damage: Callable[[Image], None], message: str
) -> None:
    damage(image)
    with pytest.raises(WorkbookError, match=message):
        measured(image, tree)


def test_parts_that_do_not_sum_to_the_sizes_are_refused(image: Image, tree: Tree) -> None:
    with pytest.raises(WorkbookError, match=r"the parts hold .* when they were made"):
        measured(replace(image, compressed_bytes=image.compressed_bytes - 1), tree)
    with pytest.raises(WorkbookError, match="were when it was made"):
        measured(replace(image, allocated_bytes=4096), tree)


def test_only_a_little_may_be_the_metadata_of_the_hosts_file_system(image: Image, tree: Tree) -> None:
    def host_bytes(more: int) -> int:
        parts = measured(replace(image, allocated_bytes=image.allocated_bytes + more), tree).parts
        return parts["host-file-system"].image_bytes

    assert host_bytes(8192) - host_bytes(0) == 8192
    with pytest.raises(WorkbookError, match="were when it was made"):
        host_bytes(2 << 20)


def test_an_image_that_has_grown_is_refused(image: Image, tree: Tree) -> None:
    with open(image.qcow2, "ab") as file:
        file.write(b"more")
    with pytest.raises(WorkbookError, match=r"disk.qcow2: .*nothing uses the bytes from"):
        measured(image, tree)
