"""A tree signed with a key of one's own, composed by the real gpg and ostree: nothing of the secret stays anywhere."""

import tempfile
from pathlib import Path

import pytest

from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store
from atomic_lib.compose import tree as compose
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.remote import own_public_key
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.secrets import files_with, secret_forms
from tests.integration.test_tampering import LOCK, own_key

pytestmark = pytest.mark.integration

CONTENT = Content(
    name="tiny", title="Tiny", key="k", releasever="1", kernel_arguments="", selinux_policy="none", repo_text="",
    local={}, remote=False, dnf_cache=None,
)  # fmt: skip
RECIPE = Recipe(files=(Path("tiny.yaml"),), packages=("one",), selinux="disabled")
RPM_SET = RpmSet("k", LOCK, Path("rpms"), ("install", "one"), 0.0, True)


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every scratch directory that is made from now on."""
    made: list[Path] = []
    make = tempfile.mkdtemp

    def recorded(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:
        made.append(Path(make(suffix, prefix, dir)))
        return str(made[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", recorded)
    return made


def tiny_tree(tree: Installroot, *_: object, **__: object) -> list[object]:
    """In place of the installation of packages: a kernel, and the directories that a tree has."""
    for name in ("boot", "etc", "usr/share", "var"):
        (tree.root / name).mkdir(parents=True)
    tree.write("usr/lib/modules/1/vmlinuz", "kernel\n")
    return []


def test_a_tree_signed_with_a_key_of_ones_own_has_nothing_of_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scratch: list[Path]
) -> None:
    tools: Tools = open_tools(cache_directory())
    variant, secret = own_key(tools, tmp_path / "keys")
    forms = secret_forms(secret, Path(variant.signing_key).read_text())
    assert {path.suffix for path in files_with(forms, tmp_path / "keys")} >= {".asc", ".key"}
    monkeypatch.setattr(compose, "make_installroot", tiny_tree)
    monkeypatch.setattr(compose, "write_owners", lambda *_: None)
    store = Store(tmp_path / "store")
    context = Context(tools, tmp_path / "cache", store)
    tree = compose.compose_tree(compose.TreeRequest(variant, RECIPE, CONTENT, RPM_SET), context)
    signed = [path for path in tree.repo.rglob("*.commitmeta") if path.is_file()]
    assert len(signed) == 1
    assert files_with([own_public_key(variant, context).encode()], tree.repo) != []
    assert files_with(forms, store.root) == []
    # What a run that is killed leaves of the secret is where the next run removes it.
    assert scratch
    assert all(path.is_relative_to(store.root / "tmp") for path in scratch)
    assert list((store.root / "tmp").iterdir()) == []
