"""The compose stage: composes a traditional root or an ostree commit from a recipe and an RPM set."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import step
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.sharing.shared_files import newest_whole
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import Stored, key_of
from atomic_lib.compose.chroot import RPMDB, Installroot, copy_root, make_root
from atomic_lib.compose.commit.known_objects import take_known_objects
from atomic_lib.compose.commit.ostree_commit import commit_tree
from atomic_lib.compose.file_contexts import contexts_directory, keep_contexts, keep_labels, label_tree
from atomic_lib.compose.initramfs import kernel_version
from atomic_lib.compose.installroot import left_out, make_installroot
from atomic_lib.compose.ostree import make_ostree_tree
from atomic_lib.compose.packaged_attributes import ChangedFile
from atomic_lib.compose.remote import add_remote, commit_key, own_public_key
from atomic_lib.compose.rpm_database import file_owners
from atomic_lib.compose.settings.finalize import finalize
from atomic_lib.compose.tree_access.walk import Entry, read_entries, walk_tree, write_entries
from atomic_lib.content.keyring import Keyring, open_keyring
from atomic_lib.content.repositories import Content
from atomic_lib.params.variant import Variant
from atomic_lib.recipe.recipe import AddedFile, Recipe
from atomic_lib.recipe.treefile_rules.version_prefix import first_version
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import Bind, Tools

CONTEXTS, LABELS, LOG = "contexts", "labels", "compose.log"
_KNOWN = "known-objects"


@dataclass(frozen=True)
class Tree:
    """A composed tree. Only ostree trees have ``commit`` and ``content_checksum``, their checksums in hex."""

    key: str
    method: Literal["ostree", "traditional"]
    directory: Path
    kver: str
    commit: str | None
    content_checksum: str | None
    dropped_files: tuple[str, ...]
    seconds: float
    reused: bool
    changed_files: tuple[ChangedFile, ...] = ()
    """The files whose owner, mode or capabilities a scriptlet changed."""
    left_out: tuple[str, ...] = ()
    """A sentence for each unit and setting of the recipe that the tree lacks."""

    @property
    def root(self) -> Path:
        """The root directory of a traditional tree, without its labels."""
        return self.directory / "root"

    @property
    def repo(self) -> Path:
        """The repository of an ostree tree."""
        return self.directory / "repo"

    @property
    def labels(self) -> Path:
        """The labels of a traditional tree, as ``file_contexts.restore_labels`` reads them."""
        return self.directory / LABELS

    @property
    def contexts(self) -> Path:
        """The directory of the policy's file contexts; it does not exist if SELinux is disabled."""
        return self.directory / CONTEXTS

    def entries(self) -> list[Entry]:
        """All paths of the tree."""
        return read_entries(self.directory / "entries.jsonl")

    def owners(self) -> dict[str, list[str]]:
        """The packages that own each path, by its name in the tree's RPM database."""
        owners: dict[str, list[str]] = json.loads((self.directory / "owners.json").read_text())
        return owners


def tree_key(stored_key: str) -> str:
    """The key of a tree, which its image and results name, from the key that the store has it under."""
    return key_of({"tree": stored_key})


def recipe_inputs(recipe: Recipe) -> dict[str, object]:
    """The recipe as part of a key: all but the paths of its files, its notes, and what decides only the RPM set."""
    added = ("added_files", "overlays", "override_overlays")
    apart = ("account_rules", "finalization", "post_scripts", *added)
    others = ("files", "notes", "left_out", "repositories", "lockfile_repos", "ostree_source", *apart)
    data = {name: value for name, value in vars(recipe).items() if name not in others}
    commit = recipe.ostree_source
    where = [commit.stateroot, commit.remote, commit.url, commit.ref, commit.verified] if commit else None
    scripts = [
        [script.text, script.interpreter, script.stop_on_error, script.in_tree] for script in recipe.post_scripts
    ]
    rules = asdict(recipe.account_rules) if recipe.account_rules else None
    files = {name: _digests(getattr(recipe, name)) for name in added}
    last = recipe.finalization
    finalization = [_digests(last.programs), _digests(last.files)] if last else None
    return {
        **data,
        **files,
        "ostree_source": where,
        "account_rules": rules,
        "finalization": finalization,
        "post_scripts": scripts,
    }


def _digests(files: Iterable[AddedFile]) -> list[list[object]]:
    return [[file.path, file.mode, sha256(file.content).hexdigest(), file.target] for file in files]


def commit_version(variant: Variant, recipe: Recipe) -> str:
    """The version of the variant's tree: that of the treefile's automatic-version-prefix, or the variant's own.

    A date in it is that of the variant's ``source_date_epoch``. Raises WorkbookError if it is not accepted.
    """
    if recipe.version_prefix is None:
        return variant.version
    return first_version(recipe.version_prefix, recipe.version_suffix, variant.source_date_epoch)


def default_ref(variant: Variant, recipe: Recipe) -> str:
    """The ref of the variant's commits: the treefile's, or one with the variant's name."""
    return recipe.ref or f"fedora-atomic/x86_64/{variant.variant}"


@dataclass(frozen=True)
class TreeRequest:
    """A tree to compose: a variant's recipe with the packages of an RPM set."""

    variant: Variant
    recipe: Recipe
    content: Content
    rpm_set: RpmSet


def compose_tree(request: TreeRequest, context: Context) -> Tree:
    """The variant's tree; composed first if it is not in the store.

    Raises WorkbookError as ``make_installroot`` does, and for a ``signing_key`` that cannot sign.
    """
    return stored_tree(TREE.get(request, context), request.variant.method)


def stored_tree(stored: Stored, method: Literal["ostree", "traditional"]) -> Tree:
    """The tree that a stage stored."""
    facts = json.loads((stored.path / "tree.json").read_text())
    return Tree(
        key=tree_key(stored.key),
        method=method,
        directory=stored.path,
        kver=facts["kver"],
        commit=facts["commit"],
        content_checksum=facts["content_checksum"],
        dropped_files=tuple(facts["dropped_files"]),
        seconds=stored.seconds,
        reused=stored.reused,
        changed_files=tuple(ChangedFile(path, tuple(what), text) for path, what, text in facts["changed_files"]),
        left_out=tuple(facts["left_out"]),
    )


def _inputs(request: TreeRequest, context: Context) -> dict[str, object]:
    variant, recipe, content = request.variant, request.recipe, request.content
    of_commit: dict[str, object] = {}
    if variant.method == "ostree":
        public_key = own_public_key(variant, context)
        of_commit = {"ref": default_ref(variant, recipe), "remote": [variant.remote_url, public_key]}
    return {
        "method": variant.method,
        "version": commit_version(variant, recipe),
        "source_date_epoch": variant.source_date_epoch,
        "recipe": recipe_inputs(recipe),
        "lock": request.rpm_set.lock.sha256,
        "words": request.rpm_set.words,
        "content": [content.name, content.releasever, content.key_urls],
        "policy": content.selinux_policy,
        **of_commit,
    }


def _make(request: TreeRequest, context: Context, directory: Path) -> None:
    variant, recipe, content = request.variant, request.recipe, request.content
    with (
        machine_lock(context.cache, TREE.title(request)),
        ThreadPoolExecutor(1) as beside,
        in_memory(directory / "composed") as composed,
    ):
        # beside the installation, which keeps one processor busy
        trees = context.store.results(TREE.name)
        known = beside.submit(_take_known_objects, directory, trees) if variant.method == "ostree" else None
        tree = Installroot(context.tools, composed / "root", variant.source_date_epoch)
        log = directory / LOG
        changed = make_installroot(
            tree,
            recipe,
            content,
            request.rpm_set,
            context,
            name=variant.variant,
            version=commit_version(variant, recipe),
            log=log,
        )
        write_owners(tree, directory)
        finish = _finish_ostree if variant.method == "ostree" else _finish_traditional
        nothing: dict[str, object] = {"commit": None, "content_checksum": None, "dropped_files": []}
        made = {
            "kver": kernel_version(tree.files),
            "changed_files": [astuple(file) for file in changed],
            "left_out": left_out(tree.files, recipe),
        }
        if known:
            known.result()
        facts = {**nothing, **made, **finish(tree, request, directory)}
    (directory / "tree.json").write_text(json.dumps(facts, indent=1))


TREE = Stage(
    "tree",
    _make,
    _inputs,
    title=lambda request: f"{request.variant.variant}: compose the tree",
    space_bytes=3_000_000_000,
)


def _finish_ostree(tree: Installroot, request: TreeRequest, directory: Path) -> dict[str, object]:
    """Convert the installroot to a labelled commit; returns its entries for tree.json."""
    variant, recipe = request.variant, request.recipe
    key = commit_key(tree.tools, variant, default_ref(variant, recipe), directory)
    with (
        step(f"{variant.variant}: commit"),
        open_keyring(tree.tools, directory, key, variant.source_date_epoch) as keyring,
    ):
        add_remote(tree, variant.remote_url, keyring.public_key())
        dropped = make_ostree_tree(tree, tmp_is_link=recipe.tmp_is_link, opt_and_usrlocal=recipe.opt_and_usrlocal)
        finalize(tree, recipe, directory / LOG)
        write_entries(walk_tree(tree.root), directory / "entries.jsonl")
        if recipe.selinux != "disabled":
            contexts = f"usr/{contexts_directory(request.content.selinux_policy)}"
            _label(tree, directory, contexts, usr_etc_as_etc=recipe.usr_etc_as_etc)
        checksums = _commit(variant, recipe, request.rpm_set.lock, keyring, tree.root, directory)
    return {"dropped_files": dropped, **checksums}


def _finish_traditional(tree: Installroot, request: TreeRequest, directory: Path) -> dict[str, object]:
    """Install the kernel in /boot, label the root, and keep it; it has no entries for tree.json."""
    with step(f"{request.variant.variant}: label"):
        _install_kernel(tree, kernel_version(tree.files))
        finalize(tree, request.recipe, directory / LOG)
        if request.recipe.selinux != "disabled":
            _label(tree, directory, contexts_directory(request.content.selinux_policy))
            keep_labels(tree, directory / LABELS)
        write_entries(walk_tree(tree.root), directory / "entries.jsonl")
        make_root(directory / "root")
        copy_root(tree.tools, tree.root, directory / "root")
    return {}


def _take_known_objects(directory: Path, trees: Iterable[Path]) -> None:
    take_known_objects(directory / _KNOWN, (tree / "repo" for tree in newest_whole(trees)))


def write_owners(tree: Installroot, directory: Path, database: str = RPMDB) -> None:
    """Write who owns the files of the tree to ``owners.json``.

    Raises WorkbookError if its RPM database has no files.
    """
    owners = file_owners(tree, database)
    if not owners:
        raise WorkbookError(
            "the tree's RPM database lists no files, so files cannot be attributed to packages",
            hint="check that the recipe installs packages and that no script removes the RPM database",
        )
    (directory / "owners.json").write_text(json.dumps(owners))


def _commit(
    variant: Variant, recipe: Recipe, lock: Lock, keyring: Keyring, root: Path, directory: Path
) -> dict[str, str]:
    ref, version = default_ref(variant, recipe), commit_version(variant, recipe)
    epoch = variant.source_date_epoch
    metadata, repo = recipe.commit_metadata, directory / "repo"
    commit = commit_tree(keyring, root, repo, lock, ref=ref, version=version, epoch=epoch, metadata=metadata,
                         known=directory / _KNOWN)  # fmt: skip
    return commit_facts(keyring.tools, repo, commit)


def commit_facts(tools: Tools, repo: Path, commit: str) -> dict[str, str]:
    """The checksums of a commit, for tree.json."""
    binds = [Bind(repo, "/mnt/repo")]
    listing = tools.run(["ostree", "show", "--repo=/mnt/repo", commit], binds=binds).stdout
    return {"commit": commit, "content_checksum": content_checksum(listing)}


def content_checksum(shown: str) -> str:
    """The content checksum in the output of ``ostree show``; it does not depend on the commit's metadata."""
    return next(line.split()[1] for line in shown.splitlines() if line.startswith("ContentChecksum:"))


def _install_kernel(tree: Installroot, kver: str) -> None:
    """Install the kernel in /boot, under the names that kernel-install uses."""
    modules = f"usr/lib/modules/{kver}"
    tree.files.copy(f"{modules}/vmlinuz", f"boot/vmlinuz-{kver}")
    if tree.files.has_file(f"{modules}/initramfs.img"):  # a recipe may have none
        tree.files.move(f"{modules}/initramfs.img", f"boot/initramfs-{kver}.img")


def _label(tree: Installroot, directory: Path, contexts: str, *, usr_etc_as_etc: bool = False) -> None:
    """Label the tree by its own policy, and keep the file contexts, to label the files that the image adds."""
    keep_contexts(tree.files, contexts, directory / CONTEXTS, usr_etc_as_etc=usr_etc_as_etc)
    label_tree(tree, directory / CONTEXTS)
