"""A file is found under the path that its package gave it, whatever the compose has done to the path."""

import os

import pytest

from atomic_lib.compose.tree_access.ownership import Ownership, readable, rpm_path
from atomic_lib.compose.tree_access.walk import Entry


@pytest.mark.parametrize(
    ("in_tree", "in_rpm"),
    [
        ("/usr/etc/hosts", "/etc/hosts"),
        ("/etc/hosts", "/etc/hosts"),
        ("/usr/bin/bash", "/bin/bash"),
        ("/usr/sbin/init", "/sbin/init"),
        ("/usr/lib/modules/1/vmlinuz", "/lib/modules/1/vmlinuz"),
        ("/usr/lib64/ld.so", "/lib64/ld.so"),
        ("/usr/etc/selinux/default/active/policy.kern", "/var/lib/selinux/default/active/policy.kern"),
        ("/usr/share/odd \udcff\udcfe", "/usr/share/odd \udcff\udcfe"),
        ("/usr/lib/opt/vendor/app", "/opt/vendor/app"),
        ("/usr/lib/opt/vendor/app", "/usr/lib/opt/vendor/app"),
        ("/usr/lib/ostree-boot/efi/EFI/own/shim.efi", "/boot/efi/EFI/own/shim.efi"),
        ("/usr/share/with space", "/usr/share/with space"),
        ("/usr/lib/modules/6.12-1/vmlinuz", "/boot/vmlinuz-6.12-1"),
    ],
)
def test_a_file_is_found_under_the_path_that_its_package_has(in_tree: str, in_rpm: str) -> None:
    assert Ownership({in_rpm: ["owner"]}).owner_of(in_tree) == "owner"
    assert Ownership({f"{in_rpm}/more": ["owner"]}).owner_of(in_tree) is None


LINKS = {
    "/bin": "usr/bin", "/usr/sbin": "bin", "/sbin": "usr/sbin", "/lib/circle": "circle",
    "/usr/etc/alternatives": "../lib/alt",
    "/usr/share/out": "/../usr/share/../lib", "/opt": "var/opt", "/usr/lib64": "/usr/lib",
}  # fmt: skip
ENTRIES = [
    *(Entry(path, "link", len(target), 0, number, target) for number, (path, target) in enumerate(LINKS.items())),
    Entry("/lib", "directory", 0, 4096, 99),
]


@pytest.mark.parametrize(
    ("in_tree", "in_rpm"),
    [
        ("/usr/bin/vendord", "/usr/sbin/vendord"),
        ("/usr/bin/vendord", "/sbin/vendord"),
        ("/usr/bin/vendord", "/bin/vendord"),
        ("/usr/bin/vendord", "/usr/bin/vendord"),
        ("/usr/sbin", "/usr/sbin"),
        ("/lib/modules", "/lib/modules"),
        ("/usr/etc/x", "/etc/x"),
        ("/lib/alt/x", "/etc/alternatives/x"),
        ("/usr/lib/x", "/usr/share/out/x"),
        ("/usr/lib/x", "/usr/lib64/x"),
        ("/usr/lib/opt/vendor/app", "/opt/vendor/app"),
    ],
)
def test_a_path_through_links_of_the_tree_is_that_of_the_file(in_tree: str, in_rpm: str) -> None:
    assert Ownership({in_rpm: ["owner"]}, ENTRIES).owner_of(in_tree) == "owner"
    assert Ownership({in_rpm: ["owner"]}, ENTRIES).owner_of("/usr/bin/other") is None


def test_a_file_whose_path_goes_in_circles_has_no_owner() -> None:
    assert Ownership({"/lib/circle/x": ["owner"]}, ENTRIES).owner_of("/lib/x") is None


def test_packages_that_name_one_file_in_two_ways_are_its_owners_together() -> None:
    for owners in ({"/usr/sbin/x": ["two"], "/usr/bin/x": ["one"]}, {"/bin/x": ["one"], "/usr/sbin/x": ["two"]}):
        assert Ownership(owners, ENTRIES).owner_of("/usr/bin/x") == "one"


def test_a_file_of_several_packages_belongs_to_the_first_by_name() -> None:
    assert Ownership({"/a": ["two", "one"]}).owner_of("/a") == "one"


def test_of_several_names_the_owned_one_counts() -> None:
    ownership = Ownership({"/usr/z": ["zebra"], "/usr/m": ["mouse"]})
    assert ownership.attribute(["/usr/z", "/usr/a", "/usr/m"]) == ("/usr/m", "mouse")
    assert ownership.attribute(["/usr/c", "/usr/b"]) == ("/usr/b", None)


def test_only_etc_moves() -> None:
    assert rpm_path("/usr/etc/a/b") == "/etc/a/b"
    assert rpm_path("/usr/etcetera") == "/usr/etcetera"
    assert rpm_path("/usr/lib/usr/etc/a") == "/usr/lib/usr/etc/a"


def test_any_path_can_be_written_down() -> None:
    path = os.fsdecode(b"/odd \xff\n\xc3\xa9")
    assert readable(path).encode() == b"/odd \\xff\n\xc3\xa9"
