"""What a container image has in common with its host, and what is said of a file that differs."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.compose.tree_access.walk import walk_tree, write_entries
from atomic_lib.image.oci.container_image import ContainerImage
from atomic_lib.measure.container.container_comparison import (
    ComparisonRequest,
    compare_files,
    require_one_database,
    same_paths,
    sizes,
    why_different,
)
from atomic_lib.solve.lock import Lock, LockedPackage

BASH = LockedPackage("bash", 0, "5.2", "1", "x86_64", "a" * 64, 1000, "r")
OWN = LockedPackage("own", 0, "1", "1", "noarch", "b" * 64, 1000, "r")
SYSTEMD = LockedPackage("systemd", 0, "257", "1", "x86_64", "c" * 64, 1000, "r")
OWNERS = {"/bin/bash": ["bash"], "/etc/bashrc": ["bash"], "/usr/own": ["own"], "/usr/systemd": ["systemd"]}


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def image(tmp_path: Path) -> ContainerImage:
    """An image with a link to a directory, through which its packages name files."""
    root = tmp_path / "image/root"
    write(root, {"usr/bin/bash": "bash", "etc/bashrc": "as packaged", "usr/own": "own", "generated": "12345"})
    (root / "bin").symlink_to("usr/bin")
    os.link(root / "usr/bin/bash", root / "usr/bin/sh")
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    digests = {f"/{path.relative_to(root)}": sha256(path.read_text()) for path in files}
    write_entries(walk_tree(root), tmp_path / "image/entries.jsonl")
    (tmp_path / "image/owners.json").write_text(json.dumps(OWNERS))
    (tmp_path / "image/digests.json").write_text(json.dumps(digests))
    return ContainerImage("key", "base", tmp_path / "image", "d" * 64, "e" * 64, 1, 1, (), 1.0, False)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The root of a host, as a commit has it."""
    root = tmp_path / "host/root"
    write(
        root, {"usr/bin/bash": "bash", "usr/etc/bashrc": "as changed", "usr/systemd": "systemd", "generated": "1234x"}
    )
    (root / "bin").symlink_to("usr/bin")
    return root


@pytest.fixture
def tree(tmp_path: Path, host: Path) -> Tree:
    write_entries(walk_tree(host), tmp_path / "host/entries.jsonl")
    (tmp_path / "host/owners.json").write_text(json.dumps(OWNERS))
    return Tree("key", "ostree", tmp_path / "host", "6.12", "c" * 64, "d" * 64, (), 1.0, False)


def test_what_the_host_has_at_the_same_place_with_the_same_content_is_the_same(
    image: ContainerImage, tree: Tree, host: Path
) -> None:
    assert same_paths(image, tree, TreeFiles(host)) == {"/bin", "/usr/bin/bash"}
    write(host, {"usr/etc/bashrc": "as packaged", "etc/bashrc": "elsewhere"})
    write_entries(walk_tree(host), tree.directory / "entries.jsonl")
    assert "/etc/bashrc" in same_paths(image, tree, TreeFiles(host))
    assert "/etc/bashrc" not in same_paths(image, replace(tree, method="traditional"), TreeFiles(host))


def test_each_package_is_in_one_place_and_its_bytes_are_counted_once(image: ContainerImage, tree: Tree) -> None:
    request = ComparisonRequest(image, tree, Lock("standin", (BASH, OWN)), Lock("standin", (BASH, SYSTEMD)))
    found = sizes(request, frozenset({"/bin", "/usr/bin/bash", "/usr/bin/sh"}))
    assert [(one.name, one.place, one.bytes, one.files, one.shared_bytes) for one in found.packages] == [
        ("bash", "shared", len("bash") + len("as packaged"), 2, len("bash")),
        ("own", "container", len("own"), 1, 0),
        ("systemd", "host", len("systemd"), 1, 0),
    ]
    assert (found.unowned.bytes, found.unowned.files) == (len("12345") + len("usr/bin"), 2)
    assert found.unowned_shared.bytes == len("usr/bin")


def test_files_of_packages_are_found_through_links_and_what_differs_is_named(
    image: ContainerImage, tree: Tree, host: Path
) -> None:
    packaged = {("bash", "/bin/bash"): sha256("bash"), ("bash", "/etc/bashrc"): sha256("as packaged"),
                ("bash", "/usr/gone"): sha256("gone")}  # fmt: skip
    same, different = compare_files(packaged, image, tree, TreeFiles(host))
    assert same == 1
    assert [(one.path, one.package, one.reason) for one in different] == [
        ("/etc/bashrc", "bash", "changed on the host")
    ]


@pytest.mark.parametrize(
    ("container", "host", "reason"),
    [
        (None, "p", "only on the host"),
        ("p", None, "only in the container"),
        ("p", "x", "changed on the host"),
        ("x", "p", "changed in the container"),
        ("x", "y", "changed in both"),
    ],
)
def test_the_reason_says_which_of_the_two_is_not_as_packaged(
    container: str | None, host: str | None, reason: str
) -> None:
    assert why_different("p", container, host) == reason


def test_two_databases_that_disagree_are_an_error_with_the_file() -> None:
    one = {("bash", "/bin/bash"): "a", ("bash", "/bin/sh"): "a"}
    require_one_database(one, {**one, ("systemd", "/x"): "b"})
    with pytest.raises(WorkbookError, match=r"^bash: /bin/sh: the RPM databases .* \(1 files differ\)"):
        require_one_database(one, {**one, ("bash", "/bin/sh"): "b"})
