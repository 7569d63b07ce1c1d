"""A tree as a list of entries: every path once, nothing followed, odd names kept."""

import os
from pathlib import Path

import pytest

from atomic_lib.compose.tree_access.walk import Entry, read_entries, walk_tree, write_entries


@pytest.fixture
def root(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    (top / "a/deep").mkdir(parents=True)
    (top / "a/file").write_text("12345")
    (top / "a/deep/same").hardlink_to(top / "a/file")
    (top / "b").symlink_to("a")
    os.mkfifo(top / "pipe")
    with open(top / "sparse", "wb") as file:
        file.truncate(10_000_000)
    return top


def by_path(root: Path) -> dict[str, Entry]:
    return {entry.path: entry for entry in walk_tree(root)}


def test_every_path_is_there_once_and_links_are_not_followed(root: Path) -> None:
    paths = [entry.path for entry in walk_tree(root)]
    assert sorted(paths) == ["/a", "/a/deep", "/a/deep/same", "/a/file", "/b", "/pipe", "/sparse"]


def test_each_has_its_type_and_size(root: Path) -> None:
    found = {path: (entry.type, entry.size_bytes) for path, entry in by_path(root).items()}
    assert found["/a/file"] == ("file", 5)
    assert found["/a"] == ("directory", 0)
    assert found["/b"] == ("link", 1)
    assert by_path(root)["/b"].target == "a"
    assert found["/pipe"] == ("special", 0)


def test_hard_links_are_one_inode(root: Path) -> None:
    entries = by_path(root)
    assert entries["/a/file"].inode == entries["/a/deep/same"].inode
    assert entries["/a/file"].inode != entries["/sparse"].inode


def test_a_sparse_file_takes_less_than_its_size(root: Path) -> None:
    sparse = by_path(root)["/sparse"]
    assert sparse.size_bytes == 10_000_000
    assert sparse.allocated_bytes < 100_000


def test_the_order_does_not_depend_on_the_file_system(root: Path) -> None:
    before = [entry.path for entry in walk_tree(root)]
    (root / "a/file").rename(root / "a/moved")
    (root / "a/moved").rename(root / "a/file")
    assert [entry.path for entry in walk_tree(root)] == before


@pytest.mark.parametrize(
    "name",
    [b"with space", b'"quotes"', b"line\nbreak", "déjà \N{SNOWMAN}".encode(), b"not utf-8 \xff\xfe", b"[", b"%25"],
)
def test_odd_names_are_written_and_read_back(tmp_path: Path, name: bytes) -> None:
    top = tmp_path / "tree"
    top.mkdir()
    Path(os.fsdecode(os.fsencode(top) + b"/" + name)).write_text("x")
    entries = list(walk_tree(top))
    assert os.fsencode(entries[0].path) == b"/" + name
    write_entries(entries, tmp_path / "entries.jsonl")
    assert read_entries(tmp_path / "entries.jsonl") == entries
