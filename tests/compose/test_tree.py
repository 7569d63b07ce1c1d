"""What a tree's key is made of, and what identifies its content."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.store import key_of
from atomic_lib.compose.tree import commit_version, content_checksum, default_ref, recipe_inputs
from atomic_lib.params.variant import variant_from
from atomic_lib.recipe.recipe import PostScript, Recipe

SHOWN = """\
commit 6865d0d3e0c60ae8e0e2d0a5a2a05c66d8ad1c07e9fb1e60ee5bdbd1f1a2b3c4
ContentChecksum:  0f5f5ab91b13a2d6ee0b1e0f8b4e0a7d8d3ce3f1e0a1b2c3d4e5f60718293a4b
Date:  2025-01-01 00:00:00 +0000

    ContentChecksum: of another
"""
SCRIPT = PostScript("echo 1\n", "/bin/sh", True, "a.yaml:3")
RECIPE = Recipe(files=(Path("a.yaml"),), packages=("bash",), post_scripts=(SCRIPT,))
VARIANT = variant_from({"variant": "own", "method": "ostree", "recipe": "own", "agent": "cloud-init"})


def test_the_content_checksum_is_read_from_what_ostree_shows() -> None:
    assert content_checksum(SHOWN) == "0f5f5ab91b13a2d6ee0b1e0f8b4e0a7d8d3ce3f1e0a1b2c3d4e5f60718293a4b"


def test_where_a_recipe_lies_does_not_change_a_key() -> None:
    moved = replace(RECIPE, files=(Path("/elsewhere/b.yaml"),), post_scripts=(replace(SCRIPT, source="b.yaml:9"),))
    assert key_of(recipe_inputs(moved)) == key_of(recipe_inputs(RECIPE))
    assert key_of(recipe_inputs(replace(RECIPE, notes=("a note",)))) == key_of(recipe_inputs(RECIPE))


@pytest.mark.parametrize(
    "changed",
    [
        replace(RECIPE, packages=("bash", "zsh")),
        replace(RECIPE, documentation=False),
        replace(RECIPE, post_scripts=(replace(SCRIPT, text="echo 2\n"),)),
        replace(RECIPE, post_scripts=(replace(SCRIPT, stop_on_error=False),)),
        replace(RECIPE, removed_paths=("usr/share/gdb",)),
        replace(RECIPE, initramfs_arguments=("--add=ostree",)),
    ],
)
def test_what_a_recipe_says_changes_the_key(changed: Recipe) -> None:
    assert key_of(recipe_inputs(changed)) != key_of(recipe_inputs(RECIPE))


def test_the_ref_is_the_treefiles_or_made_of_the_variants_name() -> None:
    assert default_ref(VARIANT, replace(RECIPE, ref="own/ref")) == "own/ref"
    assert default_ref(VARIANT, RECIPE) == "fedora-atomic/x86_64/own"


def test_the_version_is_the_treefiles_or_the_variants() -> None:
    assert commit_version(VARIANT, replace(RECIPE, version_prefix="43")) == "43"
    assert commit_version(VARIANT, RECIPE) == VARIANT.version
