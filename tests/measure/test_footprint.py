"""Every byte of a tree belongs to one package or to none, and is counted once."""

import pytest

from atomic_lib.compose.walk import Entry
from atomic_lib.measure.footprint import Owned, count_forbidden, measure_footprint, rpm_path


def entry(path: str, size_bytes: int = 10, kind: str = "file", inode: int = 0) -> Entry:
    """An entry with an inode of its own unless given one."""
    return Entry(path, kind, size_bytes, 4096, inode or hash(path))


def test_the_parts_add_up_to_the_whole() -> None:
    entries = [
        entry("/usr/bin/a", 100),
        entry("/usr/bin/b", 20),
        entry("/usr/lib/modules/1/initramfs.img", 3000),
        entry("/usr/bin/link", 4, "link"),
        entry("/usr", 0, "directory"),
    ]
    owners = {"/usr/bin/a": ["one"], "/usr/bin/b": ["two"], "/usr/bin/link": ["two"], "/usr": ["one", "two"]}
    footprint = measure_footprint(entries, owners, ["one", "two", "empty"])
    assert footprint.packages == {"empty": Owned(0, 0), "one": Owned(100, 1), "two": Owned(24, 2)}
    assert [left.path for left in footprint.unowned] == ["/usr/lib/modules/1/initramfs.img"]
    assert footprint.tree_bytes == 100 + 24 + 3000
    assert footprint.tree_files == 4


def test_hard_links_count_once() -> None:
    entries = [entry("/usr/bin/a", 100, inode=7), entry("/usr/bin/b", 100, inode=7), entry("/usr/bin/c", 1)]
    footprint = measure_footprint(entries, {"/usr/bin/a": ["one"], "/usr/bin/b": ["one"]}, ["one"])
    assert footprint.packages["one"] == Owned(100, 1)
    assert (footprint.tree_bytes, footprint.tree_files) == (101, 2)


def test_a_file_of_several_packages_counts_for_the_first_by_name() -> None:
    footprint = measure_footprint([entry("/usr/share/same")], {"/usr/share/same": ["b", "a"]}, ["a", "b"])
    assert (footprint.packages["a"].files, footprint.packages["b"].files) == (1, 0)


@pytest.mark.parametrize(
    ("in_tree", "in_rpm"),
    [
        ("/usr/etc/hosts", "/etc/hosts"),
        ("/etc/hosts", "/etc/hosts"),
        ("/usr/bin/bash", "/bin/bash"),
        ("/usr/sbin/init", "/sbin/init"),
        ("/usr/lib/modules/1/vmlinuz", "/lib/modules/1/vmlinuz"),
        ("/usr/lib64/ld.so", "/lib64/ld.so"),
    ],
)
def test_a_file_is_found_under_the_path_that_its_package_has(in_tree: str, in_rpm: str) -> None:
    footprint = measure_footprint([entry(in_tree)], {in_rpm: ["owner"]}, ["owner"])
    assert footprint.packages["owner"].files == 1
    assert footprint.unowned == ()


def test_only_etc_moves() -> None:
    assert rpm_path("/usr/etc/a/b") == "/etc/a/b"
    assert rpm_path("/usr/etcetera") == "/usr/etcetera"
    assert rpm_path("/usr/lib/usr/etc/a") == "/usr/lib/usr/etc/a"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/usr/share/gdb/auto-load/x.py", "Python"),
        ("/usr/lib/x/__pycache__/y.cpython-313.pyc", "Python"),
        ("/usr/bin/python3.13", "Python"),
        ("/ostree/deploy/os/deploy/0/usr/bin/python3", "Python"),
        ("/usr/lib/python3/dist-packages/y/data.txt", "Python"),
        ("/usr/lib/x86_64-linux-gnu/libpython3.13.so.1.0", "Python"),
        ("/usr/bin/dnf", "the package manager"),
        ("/usr/bin/dnf-3", "the package manager"),
        ("/usr/bin/yum", "the package manager"),
        ("/usr/etc/dnf/dnf.conf", "the package manager"),
        ("/usr/lib64/libdnf.so.2", "the package manager"),
    ],
)
def test_what_the_change_wants_out_is_counted(path: str, kind: str) -> None:
    counts = count_forbidden([entry(path), entry("/usr/bin/bash")])
    assert {name for name, count in counts.items() if count == 1} == {kind}
    assert sum(counts.values()) == 1


def test_links_count_directories_and_lookalikes_do_not() -> None:
    assert count_forbidden([entry("/usr/bin/python3", 10, "link")])["Python"] == 1
    harmless = [
        entry("/usr/lib/python3", 0, "directory"),
        entry("/usr/share/zoneinfo/Asia/Pyongyang"),
        entry("/usr/share/doc/copy"),
        entry("/usr/bin/pyramid"),
    ]
    assert count_forbidden(harmless) == {"Python": 0, "the package manager": 0}
