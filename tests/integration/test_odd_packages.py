"""Odd things that packages have: whose they are in the tree, and what a commit keeps. With the real dnf and rpm."""

import os
from pathlib import Path

import pytest

from atomic_lib.base.paths import cache_directory
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.rpm_database import file_owners
from atomic_lib.compose.tree_access.walk import walk_tree
from atomic_lib.measure.footprint import measure_footprint
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import install_rpms

pytestmark = pytest.mark.integration

LONGEST = "n" * 246  # rpm adds ";" and eight digits while it unpacks
ODD = {
    "separators of lines": "a b\u2028c\u0085d;e|f",
    "not UTF-8": os.fsdecode(b"caf\xe9"),
    "long": LONGEST,
}


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


def owned_bytes(tree: Installroot, *packages: str) -> dict[str, int]:
    """The bytes of each package in the tree, and of the files that none owns below /usr."""
    found = measure_footprint(walk_tree(tree.root), file_owners(tree), packages)
    unowned = sum(entry.size_bytes for entry in found.unowned if entry.path.startswith("/usr/share"))
    return {name: found.packages[name].bytes for name in packages} | {"unowned": unowned}


def test_a_file_belongs_to_its_package_through_a_link_of_another(tools: Tools, tmp_path: Path) -> None:
    merged = "mkdir -p %{buildroot}/usr/bin %{buildroot}/usr; ln -s bin %{buildroot}/usr/sbin"
    daemon = "mkdir -p %{buildroot}/usr/sbin; head -c 1000 /dev/zero > %{buildroot}/usr/sbin/vendord"
    tree = install_rpms(tools, tmp_path, {
        "filesystem": {"install": merged, "files": "/usr/bin\n/usr/sbin"},
        "vendor": {"install": daemon, "files": "/usr/sbin/vendord", "preamble": "Requires(pre): filesystem"},
    })  # fmt: skip
    assert (tree.root / "usr/sbin").is_symlink()
    assert owned_bytes(tree, "vendor") == {"vendor": 1000, "unowned": 0}


@pytest.mark.parametrize("name", ODD.values(), ids=ODD)
def test_a_file_belongs_to_its_package_whatever_its_name(tools: Tools, tmp_path: Path, name: str) -> None:
    path = "%{buildroot}/usr/share/odd"
    printed = "".join(f"\\{byte:03o}" for byte in os.fsencode(name))
    install = f"mkdir -p {path}; head -c 500 /dev/zero > \"{path}/$(printf '{printed}')\""
    tree = install_rpms(tools, tmp_path, {"one": {"install": install, "files": "/usr/share/odd"}})
    assert name in os.listdir(tree.root / "usr/share/odd")
    assert owned_bytes(tree, "one") == {"one": 500, "unowned": 0}
