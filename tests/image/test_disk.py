"""The disk's layout and its fixed identities; writing one is an integration test."""

import hashlib
import json
import re
import uuid
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import key_of
from atomic_lib.compose.tree import Tree
from atomic_lib.content.repositories import Content
from atomic_lib.formats.disk.gpt import SECTOR_BYTES
from atomic_lib.image import disk
from atomic_lib.image.disk import (
    IMAGE,
    Image,
    _hand_over,
    _raw_facts,
    _write_sparse,
    image_in,
    mke2fs_command,
    partition_script,
)
from atomic_lib.image.identity import fixed_uuid
from atomic_lib.image.sysroot import ImageRequest
from atomic_lib.params.variant import Variant, variant_from
from atomic_lib.recipe.recipe import OstreeSource, PostScript, Recipe
from tests.contexts import own_context


def variant(name: str = "own", version: str = "1", **changed: object) -> Variant:
    values = {"variant": name, "method": "ostree", "recipe": "own", "agent": "cloud-init", "version": version}
    return variant_from({**values, **changed})


RECIPE = Recipe(files=(Path("a"),), packages=())
CONTENT = Content("own", "Own content", "k", "43", "security=selinux", "default", "", {}, False, None)
COMMIT = OstreeSource("own-os", "own", "http://own.example/", "a/b", verified=False)
TREE = Tree("tree", "ostree", Path("tree"), "6.12.1", "c0", "c1", (), 0.0, True)
REQUEST = ImageRequest(variant(), RECIPE, CONTENT, TREE)


@pytest.mark.parametrize(
    "changed",
    [
        replace(REQUEST, tree=replace(TREE, key="tree-2")),
        replace(REQUEST, variant=variant(root_size_mib=REQUEST.root_mib + 1)),
        replace(REQUEST, variant=variant(kernel_arguments="quiet")),
        replace(REQUEST, variant=variant(version="2")),
        replace(REQUEST, variant=variant("other")),
        replace(REQUEST, variant=variant(source_date_epoch=REQUEST.variant.source_date_epoch + 1)),
        replace(REQUEST, recipe=replace(RECIPE, root_size_mib=REQUEST.root_mib + 1)),
        replace(REQUEST, recipe=replace(RECIPE, kernel_arguments="quiet")),
        replace(REQUEST, recipe=replace(RECIPE, selinux="disabled")),
        replace(REQUEST, recipe=replace(RECIPE, boot_loader_timeout_seconds=9)),
        replace(REQUEST, recipe=replace(RECIPE, ostree_source=COMMIT)),
        replace(REQUEST, content=replace(CONTENT, kernel_arguments="")),
        replace(REQUEST, content=replace(CONTENT, selinux_policy="targeted")),
    ],
)
def test_all_that_an_image_is_made_of_is_in_its_key(tmp_path: Path, changed: ImageRequest) -> None:
    keys = {key_of(IMAGE.key_inputs(request, own_context(tmp_path))) for request in (REQUEST, changed)}
    assert len(keys) == 2


def test_how_often_a_new_version_boots_is_in_the_key_of_an_image(tmp_path: Path) -> None:
    requests = (replace(REQUEST, variant=variant(automatic_return=boots)) for boots in (0, 1, 2))
    inputs = [IMAGE.key_inputs(request, own_context(tmp_path)) for request in requests]
    assert len({key_of(one) for one in inputs}) == 3
    assert "automatic_return" not in inputs[0]


@pytest.mark.parametrize(
    "changed",
    [
        {"ostree_source": replace(COMMIT, url="http://other.example/")},
        {"ostree_source": replace(COMMIT, verified=True)},
        {"ostree_source": replace(COMMIT, stateroot="other")},
        {"post_scripts": (PostScript("echo", "/bin/sh", False, "a:1"),)},
        {"timezone": "Etc/UTC"},
    ],
)
def test_what_configures_a_deployment_is_in_the_key_of_its_image(tmp_path: Path, changed: dict[str, Any]) -> None:
    deployed = replace(RECIPE, ostree_source=COMMIT)
    requests = (replace(REQUEST, recipe=recipe) for recipe in (deployed, replace(deployed, **changed)))
    assert len({key_of(IMAGE.key_inputs(request, own_context(tmp_path))) for request in requests}) == 2


def test_where_a_commit_was_pulled_from_is_not_in_the_key_of_its_image(tmp_path: Path) -> None:
    sources = (COMMIT, replace(COMMIT, pulled_from="file:///mirror", source="a:1"))
    requests = (replace(REQUEST, recipe=replace(RECIPE, ostree_source=source)) for source in sources)
    assert len({key_of(IMAGE.key_inputs(request, own_context(tmp_path))) for request in requests}) == 1


def test_a_sparse_part_of_the_disk_has_every_block_in_its_place(tmp_path: Path) -> None:
    start, blocks = 3 * 4096, [b"a" * 4096, bytes(4096), b"b" * 4096, b"c" * 100]
    with open(tmp_path / "disk", "w+b") as disk:
        disk.truncate(8 * 4096)
        _write_sparse(disk, b"".join(blocks), start)
    data = (tmp_path / "disk").read_bytes()
    assert len(data) == 8 * 4096
    assert data.strip(b"\0") == b"".join(blocks)
    assert data.index(b"a") == start


def partitions(script: str) -> list[dict[str, str]]:
    rows = [line for line in script.splitlines() if line.startswith("start=")]
    return [dict(field.split("=", 1) for field in row.split(", ")) for row in rows]


def test_the_partitions_follow_each_other_and_begin_at_a_mebibyte() -> None:
    rows = partitions(partition_script(variant(), 4096))
    assert [row["name"] for row in rows] == ["bios", "esp", "root"]
    places = [(int(row["start"]), int(row["size"])) for row in rows]
    assert places[0][0] == 2048
    assert [start + size for start, size in places[:-1]] == [start for start, _ in places[1:]]
    assert all(start * SECTOR_BYTES % 2**20 == 0 for start, _ in places)


@pytest.mark.parametrize("root_mib", [1024, 4096, 65536])
def test_the_root_partition_has_the_size_asked_for(root_mib: int) -> None:
    root = partitions(partition_script(variant(), root_mib))[-1]
    assert int(root["size"]) * SECTOR_BYTES == root_mib * 2**20


def test_every_partition_and_the_disk_have_an_identity_of_their_own() -> None:
    script = partition_script(variant(), 4096)
    found = re.findall(r"(?:label-id: |uuid=)([0-9a-f-]{36})", script)
    assert len(found) == len(set(found)) == 4
    assert [uuid.UUID(text).version for text in found] == [5, 5, 5, 5]


def test_a_fixed_uuid_is_the_same_on_every_machine() -> None:
    assert fixed_uuid(variant(), "disk") == "c41afa2b-2078-5a0c-a8da-1df965da2ab5"


def test_a_fixed_uuid_depends_on_name_version_and_role() -> None:
    own = fixed_uuid(variant(), "disk")
    assert own != fixed_uuid(variant("other"), "disk")
    assert own != fixed_uuid(variant(version="2"), "disk")
    assert own != fixed_uuid(variant(), "root")


def options_of(command: list[str]) -> dict[str, str]:
    return dict(option.split("=") for option in command[command.index("-E") + 1].split(","))


def test_the_file_system_has_a_fixed_uuid_and_a_fixed_hash_seed() -> None:
    command = mke2fs_command(variant(), "/content", "/disk", 4096)
    assert command[command.index("-U") + 1] == "27fd2e8e-a159-5cf0-ad92-c9188c68e08b"
    assert options_of(command)["hash_seed"] == "092ef257-074d-5655-9e06-6100e9798ff2"
    assert command == mke2fs_command(variant(), "/content", "/disk", 4096)


def test_another_disk_has_another_file_system_uuid_and_hash_seed() -> None:
    own, other = (mke2fs_command(one, "/content", "/disk", 4096) for one in (variant(), variant("other")))
    assert own[own.index("-U") + 1] != other[other.index("-U") + 1]
    assert options_of(own)["hash_seed"] != options_of(other)["hash_seed"]


def test_the_file_system_begins_and_ends_with_its_partition() -> None:
    command = mke2fs_command(variant(), "/content", "/disk", 4096)
    root = partitions(partition_script(variant(), 4096))[-1]
    assert int(options_of(command)["offset"]) == int(root["start"]) * SECTOR_BYTES
    assert command[-1] == f"{int(root['size']) * SECTOR_BYTES // 1024}k"
    assert command[command.index("-d") + 1 : -1] == ["/content", "/disk"]
    assert options_of(command)["root_owner"] == "0:0"


def test_a_root_file_system_that_grows_has_the_larger_size() -> None:
    default_mib = REQUEST.variant.root_size_mib
    for named_mib, grows, expected_mib in (
        (None, False, default_mib), (1100, False, 1100), (1100, True, default_mib), (9000, True, 9000),
    ):  # fmt: skip
        recipe = replace(REQUEST.recipe, root_size_mib=named_mib, root_grows=grows)
        assert replace(REQUEST, recipe=recipe).root_mib == expected_mib


def raw_disk_of(directory: Path) -> bytes:
    """Make the raw disk of an image, of which one block has data; returns its content."""
    with open(directory / "disk.raw", "wb") as disk:
        disk.seek(65536)
        disk.write(b"d" * 4096)
        disk.truncate(1 << 20)
    return (directory / "disk.raw").read_bytes()


def test_sizes_digests_and_allocated_ranges_are_kept_of_a_raw_disk(tmp_path: Path) -> None:
    content = raw_disk_of(tmp_path)
    sha256 = hashlib.sha256(content).hexdigest()  # the file is too small to count as sparse
    assert _raw_facts(tmp_path) == {
        "virtual_bytes": 1 << 20, "allocated_bytes": (tmp_path / "disk.raw").stat().st_blocks * 512,
        "sha256": sha256, "digest": sha256,
    }  # fmt: skip
    assert own_image(tmp_path).allocated_ranges() == [(65536, 65536 + 4096)]


def test_an_image_keeps_no_raw_disk_and_finds_the_one_that_was_made(tmp_path: Path) -> None:
    content, context = raw_disk_of(tmp_path), own_context(tmp_path / "context")
    facts = _raw_facts(tmp_path) | {"compressed_bytes": 1, "compressed_sha256": ""}
    (tmp_path / "image.json").write_text(json.dumps(facts))
    for _ in range(2):  # the second time it is there already
        _hand_over(tmp_path.name, context, tmp_path)
        assert not (tmp_path / "disk.raw").exists()
        raw_disk_of(tmp_path)
    image = image_in(tmp_path)
    assert (image.virtual_bytes, image.reused) == (1 << 20, True)
    assert image.raw_disk(context) == image.raw_path(context)
    assert image.raw_path(context).read_bytes() == content


@pytest.mark.parametrize("failing", ["_write_loaders", "write_entries", "_write_root"])
def test_what_fails_beside_the_main_work_stops_the_image(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise WorkbookError("no boot loader")

    made: list[str] = []
    monkeypatch.setattr(disk, "in_memory", lambda directory, _: nullcontext(directory))
    monkeypatch.setattr(disk, "make_sysroot", lambda *_: tmp_path)
    for name in ("_write_loaders", "write_entries", "_write_root"):
        monkeypatch.setattr(disk, name, lambda *_: None)
    monkeypatch.setattr(disk, "compress", lambda *_: made.append("qcow2"))
    monkeypatch.setattr(disk, failing, fail)
    with pytest.raises(WorkbookError, match="no boot loader"):
        disk._build(REQUEST, own_context(tmp_path), tmp_path)
    assert made == []


def own_image(directory: Path) -> Image:
    return Image("key", directory, 1 << 20, 4096, 1, 0.0, True)
