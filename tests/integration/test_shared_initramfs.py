"""Work shared between variants changes nothing: each one's commit is the same, whoever did the work."""

from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store
from atomic_lib.compose.tree import Tree, TreeRequest, compose_tree
from atomic_lib.content.repositories import open_content
from atomic_lib.params.variant import load_variant
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe_demand import recipe_demand
from atomic_lib.recipe.standin_recipe import standin_recipe
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import open_tools

pytestmark = pytest.mark.integration

NAMES = ("atomic-min", "atomic-cloud-init")
Compose = Callable[[str, Path], Tree]


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture
def compose(tools: Tools, tmp_path: Path) -> Compose:
    """Compose a variant by name with a store of the caller's choice."""

    def run(name: str, store: Path) -> Tree:
        variant = load_variant(name)
        recipe = load_recipe(variant)
        sets = Context(tools, cache_directory(), Store(tmp_path / "sets"))
        content = open_content("standin", sets, recipe_demand(recipe))
        recipe = standin_recipe(recipe, content.missing, content.name)
        rpm_set = resolve_rpm_set(recipe, content, sets, name=name, lock_file=None)
        context = Context(tools, cache_directory(), Store(store))
        return compose_tree(TreeRequest(variant, recipe, content, rpm_set), context)

    return run


def initramfs_of(tools: Tools, tree: Tree) -> str:
    """The checksum of the initramfs in a commit, its attributes included."""
    binds = [Bind(tree.repo, "/mnt/repo")]
    path = f"/usr/lib/modules/{tree.kver}/initramfs.img"
    listing = tools.run(["ostree", "ls", "--repo=/mnt/repo", "-C", str(tree.commit), path], binds=binds).stdout
    return listing.split()[-2]


def test_the_shared_initramfs_and_layer_are_what_each_variant_would_have_made(
    compose: Compose, tools: Tools, tmp_path: Path
) -> None:
    together, apart = tmp_path / "together", tmp_path / "apart"
    first, second = (compose(name, together) for name in NAMES)
    assert [len(list((together / stage).iterdir())) for stage in ("layer", "initramfs")] == [1, 1]
    assert initramfs_of(tools, first) == initramfs_of(tools, second)
    alone = compose(NAMES[1], apart)
    assert initramfs_of(tools, alone) == initramfs_of(tools, second)
    assert alone.commit == second.commit
