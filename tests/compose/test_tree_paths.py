"""Paths of a tree never lead out of it, whatever a package or a script left there."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.tree_paths import entries_of, path_in_tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/keep").touch()
    root = tmp_path / "root"
    (root / "etc/deep").mkdir(parents=True)
    (root / "tmp").symlink_to(tmp_path / "outside")
    (root / "etc/link").symlink_to("deep")
    return root


@pytest.mark.parametrize("path", ["etc", "etc/new", "etc/deep/new/newer", "etc/link", "tmp"])
def test_a_path_inside_is_given_back(root: Path, path: str) -> None:
    assert path_in_tree(root, path) == root / path


@pytest.mark.parametrize(("path", "link"), [("tmp/script", "/tmp"), ("etc/link/file", "/etc/link")])
def test_a_link_on_the_way_is_refused_by_name(root: Path, path: str, link: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        path_in_tree(root, path)
    assert caught.value.message == f"/{path}: not touched, because {link} is a symbolic link in the tree"


@pytest.mark.parametrize("path", ["../outside/keep", "etc/../../outside/keep", "/etc/passwd"])
def test_a_path_that_is_none_of_the_tree_is_refused(root: Path, path: str) -> None:
    with pytest.raises(WorkbookError, match="no path inside the tree"):
        path_in_tree(root, path)


def test_entries_of_a_directory(root: Path) -> None:
    assert entries_of(root, "etc") == [root / "etc/deep", root / "etc/link"]
    assert entries_of(root, "none") == []
    with pytest.raises(WorkbookError):
        entries_of(root, "tmp")
