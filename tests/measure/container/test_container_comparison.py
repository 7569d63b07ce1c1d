"""What a container image has in common with its host, and what is said of a file that differs."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.rpm_database import DatabaseFile
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.compose.tree_access.walk import walk_tree, write_entries
from atomic_lib.image.oci.container_image import ContainerImage
from atomic_lib.measure.container.container_comparison import (
    ComparisonRequest,
    compare_files,
    of_packages,
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


def test_builds_of_one_name_are_told_apart_and_their_bytes_counted_once(image: ContainerImage, tree: Tree) -> None:
    bash_i686, systemd_i686 = replace(BASH, arch="i686", sha256="d" * 64), replace(SYSTEMD, arch="i686")
    of_host = Lock("standin", (bash_i686, BASH, systemd_i686, SYSTEMD))

    def placed(*of_container: LockedPackage) -> list[tuple[str, str, str, int]]:
        found = sizes(ComparisonRequest(image, tree, Lock("standin", of_container), of_host), frozenset())
        return [(one.name, one.arch, one.place, one.bytes) for one in found.packages]

    in_image = len("bash") + len("as packaged")
    of_systemd = [("systemd", "i686", "host", len("systemd")), ("systemd", "x86_64", "host", 0)]
    assert placed(BASH) == [("bash", "x86_64", "shared", in_image), ("bash", "i686", "host", 0), *of_systemd]
    assert placed(bash_i686, BASH) == [
        ("bash", "i686", "shared", in_image), ("bash", "x86_64", "shared", 0), *of_systemd
    ]  # fmt: skip
    rebuilt = replace(BASH, sha256="e" * 64)
    assert placed(rebuilt)[0] == ("bash", "x86_64", "container", in_image)


def test_files_of_packages_are_found_through_links_and_what_differs_is_named(
    image: ContainerImage, tree: Tree, host: Path
) -> None:
    texts = {"/bin/bash": "bash", "/etc/bashrc": "as packaged", "/usr/gone": "gone"}
    packaged = {("bash", path): frozenset({sha256(text)}) for path, text in texts.items()}
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
    assert why_different(frozenset({"p", "of another build"}), container, host) == reason


def test_two_databases_that_disagree_are_an_error_with_the_file() -> None:
    one = {("bash", "/bin/bash"): frozenset("a"), ("bash", "/bin/sh"): frozenset("a")}
    require_one_database(one, {**one, ("systemd", "/x"): frozenset("b")})
    with pytest.raises(WorkbookError, match=r"^bash: /bin/sh: the RPM databases .* \(1 files differ\)"):
        require_one_database(one, {**one, ("bash", "/bin/sh"): frozenset("b")})


def test_a_path_that_two_builds_on_the_host_have_agrees_with_either() -> None:
    names = frozenset({"bash"})
    rows = tuple(DatabaseFile(*row, 0, 0) for row in (("bash", "a"), ("bash", "b"), ("own", "c")))
    of_host = of_packages({"/bin/bash": rows}, names)
    assert of_host == {("bash", "/bin/bash"): frozenset("ab")}
    for row in rows[:2]:
        require_one_database(of_packages({"/bin/bash": (row,)}, names), of_host)
    with pytest.raises(WorkbookError, match="different digests"):
        require_one_database(of_host, of_packages({"/bin/bash": rows[:1]}, names))
