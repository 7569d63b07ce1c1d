"""finalize.d of a recipe with the real confinement: what a program does to the tree, and what it cannot."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.settings.finalize import finalize
from atomic_lib.compose.settings.recipe_files import change_packaged_files
from atomic_lib.formats.rpm_headers import Header, PackagedFile
from atomic_lib.recipe.recipe import AddedFile, Finalization, Recipe
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools

pytestmark = pytest.mark.integration

FILES = (AddedFile("motd", 0o100644, b"hello\n"),)


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture
def tree(tools: Tools, tmp_path: Path) -> Installroot:
    for name in ("usr/etc", "proc", "dev"):
        (tmp_path / "root" / name).mkdir(parents=True)
    return Installroot(tools, tmp_path / "root", 7)


def run(tree: Installroot, *texts: str) -> None:
    programs = tuple(
        AddedFile(f"{number}0-own", 0o100755, f"#!/bin/sh -e\n{text}\n".encode())
        for number, text in enumerate(texts, start=1)
    )
    recipe = Recipe(files=(Path("a.yaml"),), packages=("bash",), finalization=Finalization(programs, FILES))
    finalize(tree, recipe, tree.root.parent / "log")


def test_programs_change_the_tree_in_order_with_files_of_the_recipe(tree: Installroot) -> None:
    run(tree, "cp $RPMOSTREE_WORKDIR/motd usr/etc/motd", "echo $SOURCE_DATE_EPOCH >> usr/etc/motd")
    assert (tree.root / "usr/etc/motd").read_text() == "hello\n7\n"


@pytest.mark.parametrize("text", ["echo x > /usr/x", "echo x > $RPMOSTREE_WORKDIR/x", "echo x > /mnt/finalize.d/x"])
def test_a_program_writes_nothing_but_the_tree_and_its_failure_is_named(tree: Installroot, text: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        run(tree, "true", text)
    assert caught.value.message.startswith("a.yaml: finalize.d/20-own: ")


def test_files_are_removed_from_packages_by_the_tools_own_python(tree: Installroot) -> None:
    for name in ("one", "two"):
        (tree.root / "usr" / name).write_text("")
    files = {f"/usr/{name}": PackagedFile(0o100644, 1, 0) for name in ("one", "two")}
    header = Header("own", "", frozenset(), frozenset(), files)
    recipe = Recipe(files=(Path("a.yaml"),), packages=("own",), removed_from_packages=(("own", "^/usr/t", "x$"),))
    change_packaged_files(tree, recipe, {"own": header})
    assert sorted(path.name for path in (tree.root / "usr").iterdir()) == ["etc", "one"]
