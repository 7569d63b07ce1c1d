"""Every byte of a tree belongs to one package or to none, and is counted once."""

import os
from pathlib import Path

import pytest

from atomic_lib.compose.tree_access.walk import Entry, read_entries, walk_tree, write_entries
from atomic_lib.measure.footprint import Footprint, Owned, count_forbidden, measure_footprint

ODD = ("with space", "line\nbreak", "sep\u2028arator", "not utf-8 \udcff\udcfe", "\"quotes'", "[")


def entry(path: str, size_bytes: int = 10, kind: str = "file", inode: int = 0) -> Entry:
    """An entry with an inode of its own unless given one."""
    return Entry(path, kind, size_bytes, 4096, inode or hash(path))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with everything that is easily counted wrong."""
    top = tmp_path / "root"
    for directory in ("usr/bin", "usr/lib/app/deep/deeper", "usr/etc", "var"):
        (top / directory).mkdir(parents=True)
    (top / "usr/bin/app").write_bytes(b"x" * 5000)
    (top / "usr/bin/also-app").hardlink_to(top / "usr/bin/app")
    (top / "usr/lib/app/shared").write_bytes(b"y" * 3000)
    (top / "usr/lib/app/deep/deeper/of-other").hardlink_to(top / "usr/lib/app/shared")
    (top / "usr/bin/0-unowned-name").hardlink_to(top / "usr/lib/app/shared")
    (top / "usr/etc/app.conf").write_text("k=v\n")
    (top / "usr/bin/link").symlink_to("app")
    (top / "usr/bin/long").symlink_to("x" * 100)
    (top / "var/empty").touch()
    os.mkfifo(top / "var/pipe")
    with open(top / "var/sparse", "wb") as sparse:
        sparse.write(b"head")
        sparse.truncate(50_000_000)
    for number, name in enumerate(ODD):
        (top / "usr/lib/app" / name).write_bytes(b"z" * (100 + number))
    return top


OWNERS = {
    "/usr/bin/app": ["app"], "/bin/also-app": ["other"], "/usr/lib/app/shared": ["other"],
    "/usr/lib/app/deep/deeper/of-other": ["app"], "/etc/app.conf": ["app"], "/usr/bin/link": ["app"],
    "/usr/lib/app/with space": ["app"], "/usr/lib/app/not utf-8 \udcff\udcfe": ["other"], "/usr": ["app", "other"],
    "/not/in/the/tree": ["app"],
}  # fmt: skip


@pytest.fixture
def footprint(root: Path) -> Footprint:
    """Measured as it is in a run: from the list of entries read back from its file."""
    write_entries(walk_tree(root), root.parent / "entries.jsonl")
    return measure_footprint(read_entries(root.parent / "entries.jsonl"), OWNERS, ["app", "other", "nothing"])


def independent_sum(root: Path) -> Owned:
    """What find(1) or du(1) would add up: each inode once, directories left out."""
    seen: dict[int, os.stat_result] = {}
    for base, directories, files in os.walk(os.fsencode(root)):
        for name in files + [d for d in directories if os.path.islink(os.path.join(base, d))]:
            status = os.lstat(os.path.join(base, name))
            seen[status.st_ino] = status
    statuses = seen.values()
    return Owned(sum(s.st_size for s in statuses), len(seen), sum(s.st_blocks * 512 for s in statuses))


def test_the_sum_is_that_of_an_independent_walk(root: Path, footprint: Footprint) -> None:
    assert footprint.tree == independent_sum(root)
    assert footprint.tree.bytes > 50_000_000 > footprint.tree.allocated_bytes


def test_each_file_counts_for_its_owner(root: Path, footprint: Footprint) -> None:
    packages = footprint.packages
    assert packages["nothing"] == Owned()
    # of the file with three names, the first owned name is app's
    assert (packages["app"].bytes, packages["app"].files) == (3000 + 4 + 3 + 100, 4)
    assert (packages["other"].bytes, packages["other"].files) == (5000 + 103, 2)
    status = os.lstat(root / "usr/bin/app"), os.lstat(root / "usr/lib/app" / ODD[3])
    assert packages["other"].allocated_bytes == sum(one.st_blocks for one in status) * 512
    names = {"/usr/bin/long", "/var/empty", "/var/pipe", "/var/sparse"}
    assert {left.path for left in footprint.unowned} == names | {f"/usr/lib/app/{ODD[i]}" for i in (1, 2, 4, 5)}


def test_directories_hold_what_is_below_them_each_file_once(root: Path) -> None:
    (root / "var/sparse").unlink()
    found = measure_footprint(walk_tree(root), OWNERS, ["app", "other"])
    assert set(found.directories) == {"/usr", "/usr/bin", "/usr/lib", "/usr/lib/app"}  # /usr/etc holds 4 bytes
    below = independent_sum(root / "usr")
    assert found.directories["/usr"] == below
    in_bin, in_lib = found.directories["/usr/bin"], found.directories["/usr/lib"]
    assert in_bin.bytes + in_lib.bytes + 4 == below.bytes
    assert in_lib == found.directories["/usr/lib/app"]  # deeper ones are not listed, and are in


def test_a_tree_without_files_is_empty() -> None:
    found = measure_footprint([entry("/usr", 0, "directory")], {"/usr": ["one"]}, ["one"])
    assert (found.tree, found.unowned, found.directories) == (Owned(), (), {})


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


def test_a_script_by_its_first_line_counts_once() -> None:
    scripts = ["/usr/bin/routel", "/usr/share/x.py"]
    assert count_forbidden([entry("/usr/bin/routel"), entry("/usr/share/x.py")], scripts)["Python"] == 2


def test_a_file_that_its_package_names_through_a_link_counts_for_it(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/sbin").symlink_to("bin")
    (tmp_path / "sbin").symlink_to("usr/sbin")
    (tmp_path / "usr/bin/vendord").write_bytes(b"x" * 1000)
    found = measure_footprint(walk_tree(tmp_path), {"/usr/sbin/vendord": ["vendor"]}, ["vendor"])
    assert found.packages["vendor"].bytes == 1000
    assert "/usr/bin/vendord" not in {entry.path for entry in found.unowned}
