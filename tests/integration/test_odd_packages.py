"""Odd things that packages have: whose they are in the tree, and what a commit keeps. With the real dnf and rpm."""

import os
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.compose import installroot
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.ostree import make_ostree_tree
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
        "vendor": {"install": daemon, "files": "/usr/sbin/vendord", "tags": "Requires(pre): filesystem"},
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


def test_a_commit_keeps_or_names_what_packages_have_in_places_of_the_machine(tools: Tools, tmp_path: Path) -> None:
    install = """\
cd %{buildroot}; mkdir -p run/vendor tmp/vendor opt/vendor/bin boot/efi var/lib/vendor/empty vendor usr/share/links
echo app | tee opt/vendor/bin/app boot/efi/app run/vendor/pid tmp/vendor/x var/lib/vendor/state vendor/app > /dev/null
ln opt/vendor/bin/app usr/share/links/app"""
    files = "/run/vendor\n/tmp/vendor\n/opt/vendor\n/boot/efi\n/var/lib/vendor\n/vendor\n/usr/share/links"
    tree = install_rpms(tools, tmp_path, {"one": {"install": install, "files": files}})
    owners = file_owners(tree)
    (tree.root / "run/left").touch()
    (tree.root / "etc").mkdir(exist_ok=True)
    installroot._clean(tree, owners)
    assert make_ostree_tree(tree) == ["/run/vendor/pid", "/tmp/vendor/x", "/var/lib/vendor/state"]
    kept = {str(path.relative_to(tree.root)) for path in tree.root.rglob("app")}
    assert kept == {"usr/lib/opt/vendor/bin/app", "usr/lib/ostree-boot/efi/app", "vendor/app", "usr/share/links/app"}
    assert (tree.root / "usr/share/links/app").stat().st_nlink == 2
    found = measure_footprint(walk_tree(tree.root), owners, ["one"])
    assert not [entry.path for entry in found.unowned if entry.path.endswith("/app")]
    lines = (tree.root / "usr/lib/tmpfiles.d/rpm-ostree-1-autovar.conf").read_text().splitlines()
    assert {
        "d /run/vendor 0755 0 0 -",
        "d /tmp/vendor 0755 0 0 -",
        "d /var/lib/vendor/empty 0755 0 0 -",
        "L /var/opt/vendor - - - - ../../usr/lib/opt/vendor",
    } <= set(lines)


@pytest.mark.parametrize("path", ["/dev/vendor", "/proc/vendor", "/sys/vendor"])
def test_a_file_that_a_file_system_of_the_kernel_hides_is_refused(tools: Tools, tmp_path: Path, path: str) -> None:
    install = f"install -D /dev/null %{{buildroot}}{path}"
    with pytest.raises(WorkbookError) as caught:
        install_rpms(tools, tmp_path, {"one": {"install": install, "files": path}})
    place = path.split("/")[1]
    if place == "dev":  # dnf itself cannot write there
        assert path in f"{caught.value.message}\n{caught.value.log}"
    else:
        assert caught.value.message == f"one: {path}: no booted system sees it: /{place} is the kernel's"


def test_each_kind_of_file_is_as_its_package_says(tools: Tools, tmp_path: Path) -> None:
    install = """\
cd %{buildroot}; mkdir -p usr/bin usr/share/variety/shared etc; cd usr/share/variety
truncate -s 10000000 sparse; echo x > one; ln one two; mkdir -p group; : > net
ln -s "$(printf 'no\\twhere\\n.')" dangling
echo a > %{buildroot}/etc/own.conf"""
    files = """\
%dir /usr/share/variety
%dir %attr(2775,root,root) /usr/share/variety/group
%dir %attr(1777,root,root) /usr/share/variety/shared
%caps(cap_net_raw=ep) %attr(0755,root,root) /usr/share/variety/net
/usr/share/variety/sparse
/usr/share/variety/one
/usr/share/variety/two
/usr/share/variety/dangling
%config(noreplace) /etc/own.conf
%ghost /etc/ghost.conf
%ghost %dir /var/cache/ghost"""
    again = {"install": "mkdir -p %{buildroot}/usr/share/variety/shared",
             "files": "%dir %attr(1777,root,root) /usr/share/variety/shared"}  # fmt: skip
    tree = install_rpms(tools, tmp_path, {"kinds": {"install": install, "files": files}, "again": again})
    top = tree.root / "usr/share/variety"
    assert (top / "group").stat().st_mode & 0o7777 == 0o2775
    assert (top / "shared").stat().st_mode & 0o7777 == 0o1777
    assert (top / "one").stat().st_ino == (top / "two").stat().st_ino
    assert not (tree.root / "etc/ghost.conf").exists()
    assert owned_bytes(tree, "kinds") == {"kinds": 10_000_000 + 2 + len("no\twhere\n.") + 2, "unowned": 0}


def test_a_directory_of_one_package_that_is_a_link_of_another_is_refused(tools: Tools, tmp_path: Path) -> None:
    link = {"install": "mkdir -p %{buildroot}/usr/share; ln -s one %{buildroot}/usr/share/vendor",
            "files": "/usr/share/vendor"}  # fmt: skip
    directory = {"install": "mkdir -p %{buildroot}/usr/share/vendor; echo x > %{buildroot}/usr/share/vendor/file",
                 "files": "%dir /usr/share/vendor\n/usr/share/vendor/file"}  # fmt: skip
    with pytest.raises(WorkbookError, match="dnf could not install"):
        install_rpms(tools, tmp_path, {"one": link, "two": directory})
