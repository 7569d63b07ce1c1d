"""What the configuration of a tree writes; the whole installroot is in tests/integration."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.installroot import _configure
from atomic_lib.recipe.recipe import Recipe
from tests.contexts import NO_TOOLS

SHADOW = "root:{}:19000:0:99999:7:::\nroots:$6$x:19000::::::\ndaemon:*:19000:0:99999:7:::\n"
RECIPE = Recipe(files=(Path("own.yaml"),), packages=("bash",), selinux="disabled")


@pytest.fixture
def tree(tmp_path: Path) -> Installroot:
    """A tree with the locale that is there by default."""
    (tmp_path / "root/usr/lib/locale/C.utf8").mkdir(parents=True)
    return Installroot(NO_TOOLS, tmp_path / "root", 0)


def password(tree: Installroot) -> str:
    """What /etc/shadow holds for root once the tree is configured; the other accounts stay as they are."""
    _configure(tree, RECIPE)
    first, *others = (tree.read("etc/shadow") or "").splitlines()
    assert others == SHADOW.splitlines()[1:]
    return first.split(":")[1]


@pytest.mark.parametrize(
    ("before", "after"), [("$6$salt$hash", "!$6$salt$hash"), ("", "!"), ("*", "!*"), ("!", "!"), ("!!", "!")]
)
def test_root_is_locked_with_what_was_its_password_kept(tree: Installroot, before: str, after: str) -> None:
    tree.write("etc/shadow", SHADOW.format(before))
    assert password(tree) == after
    assert (tree.root / "etc/shadow").stat().st_mode & 0o777 == 0o640


def test_a_recipe_may_leave_root_as_it_is(tree: Installroot) -> None:
    tree.write("etc/shadow", SHADOW.format("*"))
    _configure(tree, replace(RECIPE, root_locked=False))
    assert tree.read("etc/shadow") == SHADOW.format("*")


def test_selinux_is_as_the_recipe_says(tree: Installroot) -> None:
    tree.write("etc/shadow", SHADOW.format("*"))
    tree.write("etc/selinux/config", "# SELINUX= can be\nSELINUX=permissive\nSELINUXTYPE=default\n")
    _configure(tree, replace(RECIPE, selinux="enforcing"))
    assert tree.read("etc/selinux/config") == "# SELINUX= can be\nSELINUX=enforcing\nSELINUXTYPE=default\n"
