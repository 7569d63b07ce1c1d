"""Files of a tree read and written by this process, which runs as root on the host."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from tests.contexts import NO_TOOLS


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the host."""
    path = tmp_path / "outside"
    path.write_text("of the host\n")
    return path


@pytest.fixture
def tree(tmp_path: Path, outside: Path) -> Installroot:
    """A tree in which a package has left links to the host."""
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/shadow").symlink_to(outside)
    (tmp_path / "root/tmp").symlink_to(outside.parent)
    return Installroot(NO_TOOLS, tmp_path / "root", 0)


def test_a_link_is_replaced_by_the_file_that_is_written(tree: Installroot, outside: Path) -> None:
    tree.write("etc/shadow", "of the tree\n")
    assert outside.read_text() == "of the host\n"
    assert not (tree.root / "etc/shadow").is_symlink()
    assert tree.read("etc/shadow") == "of the tree\n"


def test_a_link_leads_nowhere_outside_of_the_tree(tree: Installroot, outside: Path) -> None:
    (tree.root / "elsewhere").symlink_to("/of-the-host")
    assert tree.read("elsewhere/outside") is None
    for path in ("etc/shadow", "tmp/outside"):  # in this tree both go round in a circle
        with pytest.raises(WorkbookError, match=f"/{path}: too many levels of symbolic links"):
            tree.read(path)
    with pytest.raises(WorkbookError, match="/tmp"):
        tree.write("tmp/outside", "of the tree\n")
    assert outside.read_text() == "of the host\n"
