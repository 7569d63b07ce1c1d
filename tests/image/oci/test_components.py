"""What the files of a host belong to: each path to one component, and the names of one file to the same."""

import os

from atomic_lib.compose.tree_access.walk import Entry
from atomic_lib.image.oci.components import DATABASE, LARGE_BYTES, UNPACKAGED, Component, components_of, in_image

OWNERS = {
    "/usr/bin/one": ["one"], "/usr/bin/two": ["two"], "/etc/one.conf": ["one"], "/usr/share/empty": ["two"],
    "/usr/lib/sysimage/rpm": ["rpm"], "/usr/bin": ["filesystem"],
}  # fmt: skip


def file(path: str, inode: int, size: int = 10) -> Entry:
    return Entry(path, "file", size, size, inode)


def directory(path: str) -> Entry:
    return Entry(path, "directory", 0, 0, 0)


def test_each_path_belongs_to_a_package_the_database_or_none() -> None:
    entries = [
        directory("/usr"), directory("/usr/bin"), file("/usr/bin/one", 1), file("/usr/bin/two", 2),
        directory("/usr/etc"), file("/usr/etc/one.conf", 3), file("/usr/etc/machine-id", 4),
        Entry("/home", "link", 8, 0, 5, "var/home"), directory("/usr/lib"), directory("/usr/lib/sysimage"),
        directory("/usr/lib/sysimage/rpm"), file("/usr/lib/sysimage/rpm/rpmdb.sqlite", 6, 2 * LARGE_BYTES),
        directory("/usr/share"), directory("/usr/share/empty"), directory("/sysroot"),
        file("/usr/lib/large", 7, LARGE_BYTES), file("/usr/lib/small", 8, LARGE_BYTES - 1),
    ]  # fmt: skip
    assert components_of(entries, OWNERS) == {
        "/usr/lib/large": Component(("usr/lib/large",), LARGE_BYTES),
        "filesystem": Component(("usr/bin",), 0),
        UNPACKAGED: Component(("etc/machine-id", "home", "sysroot", "usr/lib/small"), LARGE_BYTES + 9),
        "one": Component(("etc/one.conf", "usr/bin/one"), 20),
        "rpm": Component(("usr/lib/sysimage/rpm",), 0),
        DATABASE: Component(("usr/lib/sysimage/rpm/rpmdb.sqlite",), 2 * LARGE_BYTES),
        "two": Component(("usr/bin/two", "usr/share/empty"), 10),
    }


def test_the_names_of_one_file_are_of_one_component_and_counted_once() -> None:
    entries = [file("/usr/bin/another", 1), file("/usr/bin/two", 1), file("/usr/bin/zero", 1)]
    found = components_of(entries, OWNERS)
    assert found == {"two": Component(("usr/bin/another", "usr/bin/two", "usr/bin/zero"), 10)}


def test_a_large_file_of_no_package_has_a_name_that_an_annotation_can_have() -> None:
    path = os.fsdecode(b"/usr/lib/caf\xe9,x")
    assert components_of([file(path, 1, LARGE_BYTES)], OWNERS) == {
        r"/usr/lib/caf\xe9\x2cx": Component((path.lstrip("/"),), LARGE_BYTES)
    }


def test_etc_of_a_commit_is_etc_in_the_image() -> None:
    paths = ["/usr/etc", "/usr/etc/issue", "/usr/etcetera", "/usr/bin/etc", "/sysroot"]
    assert [in_image(path) for path in paths] == ["etc", "etc/issue", "usr/etcetera", "usr/bin/etc", "sysroot"]
