"""What a tree's key is made of, and what identifies its content."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.compose.tree import commit_version, content_checksum, default_ref, recipe_inputs
from atomic_lib.params import variant_from
from atomic_lib.recipe.model import PostScript, Recipe
from atomic_lib.store import key_of

# ``ostree show --raw`` of a commit, its package list shortened.
RAW_COMMIT = """\
({'ostree.bootable': <true>, 'rpmostree.rpmdb.pkglist': <[('bash', '0', '5', '1', 'x86_64')]>, \
'ostree.linux': <'6.12'>, 'xa.bytes': <[byte 0x01, 0x02]>}, @ay [], @a(say) [], 'subject', 'body', \
uint64 1735689600, [byte 0x00, 0x1f, 0xff], [byte 0xab, 0x00, 0x02])
"""
SCRIPT = PostScript("echo 1\n", "/bin/sh", True, "a.yaml:3")
RECIPE = Recipe(files=(Path("a.yaml"),), packages=("bash",), post_scripts=(SCRIPT,))
VARIANT = variant_from({"variant": "own", "method": "ostree", "recipe": "own", "agent": "cloud-init"})


def test_the_content_checksum_is_dirtree_and_dirmeta_of_the_root() -> None:
    assert content_checksum(RAW_COMMIT) == "001fff" + "ab0002"


def test_what_the_commit_says_of_itself_does_not_change_its_content_checksum() -> None:
    other = RAW_COMMIT.replace("subject", "another").replace("1735689600", "1").replace("0x01, 0x02", "0x03, 0x04")
    assert content_checksum(other) == content_checksum(RAW_COMMIT)
    assert content_checksum(RAW_COMMIT.replace("0xab", "0xac")) != content_checksum(RAW_COMMIT)


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
