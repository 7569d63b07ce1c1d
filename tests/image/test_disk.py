"""The disk's layout and its fixed identities; writing one is an integration test."""

import re
import uuid

import pytest

from atomic_lib.formats.disk.gpt import SECTOR_BYTES
from atomic_lib.image.disk import mke2fs_command, partition_script
from atomic_lib.image.identity import fixed_uuid
from atomic_lib.params.variant import Variant, variant_from


def variant(name: str = "own", version: str = "1") -> Variant:
    values = {"variant": name, "method": "ostree", "recipe": "own", "agent": "cloud-init", "version": version}
    return variant_from(values)


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
