"""What a tree's key is made of, and what identifies its content."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from atomic_lib.base.store import key_of
from atomic_lib.compose import tree
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.tree import (
    TREE,
    TreeRequest,
    commit_version,
    content_checksum,
    default_ref,
    recipe_inputs,
)
from atomic_lib.content.repositories import Content
from atomic_lib.params.variant import Variant, variant_from
from atomic_lib.recipe.recipe import AccountRules, AddedFile, PostScript, Recipe
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from tests.contexts import NO_TOOLS, own_context

SHOWN = """\
commit 6865d0d3e0c60ae8e0e2d0a5a2a05c66d8ad1c07e9fb1e60ee5bdbd1f1a2b3c4
ContentChecksum:  0f5f5ab91b13a2d6ee0b1e0f8b4e0a7d8d3ce3f1e0a1b2c3d4e5f60718293a4b
Date:  2025-01-01 00:00:00 +0000

    ContentChecksum: of another
"""
SCRIPT = PostScript("echo 1\n", "/bin/sh", True, "a.yaml:3")
FILE = AddedFile("usr/a", 0o100644, b"a")
RECIPE = Recipe(files=(Path("a.yaml"),), packages=("bash",), post_scripts=(SCRIPT,))
PARAMETERS = {"variant": "own", "method": "ostree", "recipe": "own", "agent": "cloud-init"}
VARIANT = variant_from(PARAMETERS)
LOCK = Lock("own", (LockedPackage("bash", 0, "1", "1", "noarch", "aa", 1, "r"),))
RPM_SET = RpmSet("set", LOCK, Path("rpms"), ("install", "bash"), 0.0, True)
CONTENT = Content("own", "Own content", "k", "43", "", "default", "", {}, False, None)
REQUEST = TreeRequest(VARIANT, RECIPE, CONTENT, RPM_SET)


@pytest.mark.parametrize(
    ("finish", "order"),
    [
        (tree._finish_ostree, ["make_ostree_tree", "finalize", "write_entries", "_label", "_commit"]),
        (tree._finish_traditional, ["_install_kernel", "finalize", "_label", "write_entries", "copy_root"]),
    ],
)
def test_the_programs_of_finalize_d_see_the_whole_tree_and_what_they_write_is_labelled(
    finish: Callable[..., object], order: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[str] = []

    def recorded(name: str) -> Callable[..., dict[str, object]]:
        return lambda *_, **__: calls.append(name) or {}  # type: ignore[func-returns-value]

    for name in (*order, "add_remote", "commit_key", "keep_labels", "kernel_version", "make_root", "walk_tree"):
        monkeypatch.setattr(tree, name, recorded(name))
    monkeypatch.setattr(tree, "open_keyring", lambda *_: nullcontext(MagicMock()))
    finish(Installroot(NO_TOOLS, tmp_path, 0), REQUEST, tmp_path)
    assert [name for name in calls if name in order] == order


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[TreeRequest], str]:
    """The key of a tree; a variant's public key is what stands in the file that ``signing_key`` names."""

    def public_key(variant: Variant, _: object) -> str:
        return Path(variant.signing_key).read_text() if variant.signing_key else ""

    monkeypatch.setattr(tree, "own_public_key", public_key)
    return lambda request: key_of(TREE.key_inputs(request, own_context(tmp_path)))


def of_variant(**changed: object) -> TreeRequest:
    return replace(REQUEST, variant=variant_from({**PARAMETERS, **changed}))


def of_package(**changed: object) -> TreeRequest:
    lock = Lock("own", (replace(LOCK.packages[0], **changed),))  # type: ignore[arg-type]
    return replace(REQUEST, rpm_set=replace(RPM_SET, lock=lock))


@pytest.mark.parametrize(
    "changed",
    [
        of_package(version="2"),
        of_package(sha256="bb"),
        replace(REQUEST, rpm_set=replace(RPM_SET, words=("install", "bash-1"))),
        replace(REQUEST, recipe=replace(RECIPE, documentation=False)),
        replace(REQUEST, recipe=replace(RECIPE, ref="own/ref")),
        replace(REQUEST, content=replace(CONTENT, releasever="44")),
        replace(REQUEST, content=replace(CONTENT, selinux_policy="targeted")),
        of_variant(method="traditional"),
        of_variant(variant="other"),
        of_variant(version="2"),
        of_variant(remote_url="file:///srv/repo"),
        of_variant(source_date_epoch=VARIANT.source_date_epoch + 1),
    ],
)
def test_all_that_a_tree_is_made_of_is_in_its_key(key: Callable[[TreeRequest], str], changed: TreeRequest) -> None:
    assert key(changed) != key(REQUEST)


def test_a_tree_that_trusts_another_key_has_another_key_in_the_store(
    key: Callable[[TreeRequest], str], tmp_path: Path
) -> None:
    own, keys = tmp_path / "own.asc", []
    for text in ("one public key", "another public key"):
        own.write_text(text)
        keys.append(key(of_variant(signing_key=str(own))))
    assert len({*keys, key(REQUEST)}) == 3


def test_where_the_packages_lie_does_not_change_the_key(key: Callable[[TreeRequest], str]) -> None:
    assert key(replace(REQUEST, rpm_set=replace(RPM_SET, directory=Path("moved"), reused=False))) == key(REQUEST)


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
        replace(RECIPE, added_files=(FILE,)),
        replace(RECIPE, added_files=(replace(FILE, content=b"b"),)),
        replace(RECIPE, overlays=(FILE,)),
        replace(RECIPE, override_overlays=(replace(FILE, mode=0o100755),)),
        replace(RECIPE, account_rules=AccountRules(users=(("svc", 1, 2),))),
        replace(RECIPE, machine_id="absent"),
        replace(RECIPE, commit_metadata=(("a", "true"),)),
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
    dated = replace(RECIPE, version_prefix="41.<date:%Y%m%d>")
    assert commit_version(VARIANT, dated) == "41.20250101.0"
    assert commit_version(VARIANT, replace(dated, version_suffix="-")) == "41.20250101-0"


def test_the_content_of_an_added_file_changes_the_key() -> None:
    keys = {key_of(recipe_inputs(replace(RECIPE, added_files=(replace(FILE, content=one),)))) for one in (b"a", b"b")}
    assert len(keys) == 2
