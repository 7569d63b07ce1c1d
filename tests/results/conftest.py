"""A small build to record: two packages, a tree and an image."""

import json
from pathlib import Path

import pytest

from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.walk import Entry, write_entries
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import variant_from
from atomic_lib.results.record import VariantRecord
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet

VARIANT = variant_from({"variant": "own", "method": "ostree", "recipe": "own", "agent": "min-cloud-agent"})
PACKAGES = (
    LockedPackage("bash", 0, "5.2", "1", "x86_64", "a" * 64, 1000, "r"),
    LockedPackage("linux-image-cloud", 1, "6.12", "1", "x86_64", "b" * 64, 5000, "r"),
)


@pytest.fixture
def record(tmp_path: Path) -> VariantRecord:
    return VariantRecord(VARIANT, tmp_path, tmp_path)


@pytest.fixture
def rpm_set(tmp_path: Path) -> RpmSet:
    return RpmSet("rpm-key", Lock("standin", PACKAGES), tmp_path, ("install", "bash"), 4.0, True)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    entries = [
        Entry("/usr/bin/bash", "file", 1200, 4096, 1),
        Entry("/usr/lib/modules/6.12/vmlinuz", "file", 9000, 12288, 2),
        Entry("/usr/lib/modules/6.12/initramfs.img", "file", 20000, 20480, 3),
        Entry("/usr", "directory", 0, 4096, 4),
    ]
    write_entries(entries, tmp_path / "entries.jsonl")
    owners = {"/bin/bash": ["bash"], "/usr/lib/modules/6.12/vmlinuz": ["linux-image-cloud"]}
    (tmp_path / "owners.json").write_text(json.dumps(owners))
    return Tree("tree-key", "ostree", tmp_path, "6.12", "c" * 64, "d" * 64, ("/var/lib/app/state",), 20.0, False)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    directory = tmp_path / "image"
    directory.mkdir()
    write_entries([Entry("/a/usr/bin/python3", "link", 9, 0, 1)], directory / "entries.jsonl")
    return Image("image-key", directory, 4096, 2048, 1024, 9.0, False)
