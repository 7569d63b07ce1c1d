"""The tree of a commit that is pulled, in place of one that is composed: its packages, its files, its policy.

The commit stays as it is. What is known of its packages is in its own RPM database, which is read from a copy.
"""

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.stage import Stage
from atomic_lib.compose.chroot import RPMDB, Installroot
from atomic_lib.compose.file_contexts import CONTEXTS_FILE, contexts_directory, keep_contexts
from atomic_lib.compose.initramfs import kernel_version
from atomic_lib.compose.pulled.commit_limits import CommitLimits
from atomic_lib.compose.pulled.ostree_remote import OstreeRemote
from atomic_lib.compose.rpm_database import installed_packages
from atomic_lib.compose.tree import CONTEXTS, Tree, commit_facts, stored_tree, write_owners
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.compose.tree_access.walk import walk_tree, write_entries
from atomic_lib.params.variant import Variant
from atomic_lib.recipe.recipe import OstreeSource
from atomic_lib.solve.lock import LOCK_FILE, Lock, read_lock, write_lock
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.solve.words import require_plain
from atomic_lib.tools.context import Context
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import Bind, Tools

LOCK_CONTENT = "ostree"
"""What stands for the content in the lock of a commit."""
_DATABASES = (RPMDB, "usr/share/rpm")
_DATABASE_FILES = ("rpmdb.sqlite", "Packages.db", "Packages")
_DEFAULT_POLICY = "targeted"  # as in libselinux
_CHECKSUM = re.compile("[0-9a-f]{64}")
_PLAIN_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
"""A path that rpm expands no macro in: links of the commit choose it."""


@dataclass(frozen=True)
class PulledTree:
    """A pulled commit, as the tree that it is and as the set of its packages, without RPM files."""

    tree: Tree
    rpm_set: RpmSet


@dataclass(frozen=True)
class PullRequest:
    """A commit to pull; ``keys``: the file of the public keys that may have signed it, if signatures are checked."""

    name: str
    source: OstreeSource
    keys: Path | None
    commit: str
    limits: CommitLimits = field(default_factory=CommitLimits)


def pull_tree(source: OstreeSource, variant: Variant, context: Context, *, lock_file: Path | None) -> PulledTree:
    """The tree of the commit that the ref names now, or of that of the lock; pulled first if it is not in the store.

    Raises WorkbookError as ``pulled_tree`` does, and for a lock without a commit.
    """
    if lock_file:
        return pulled_tree(source, variant, context, commit=_locked_commit(lock_file))
    keys = _keys(source, variant)
    with context.store.scratch("ref") as scratch:
        commit = OstreeRemote(context.tools, source, keys, _limits(variant)).commit_of_ref(scratch)
    return pulled_tree(source, variant, context, commit=commit)


def pulled_tree(source: OstreeSource, variant: Variant, context: Context, *, commit: str) -> PulledTree:
    """The tree of a commit of the ref; pulled first if it is not in the store.

    Raises WorkbookError as ``OstreeRemote.pull`` does; if signatures are to be checked and no key is known; and for a
    commit without an RPM database, with another number of kernels than one, or with more files than its limits.
    """
    request = PullRequest(variant.variant, source, _keys(source, variant), commit, _limits(variant))
    stored = PULLED.get(request, context)
    lock = read_lock(stored.path / LOCK_FILE)
    rpm_set = RpmSet(stored.key, lock, stored.path / "rpms", (), stored.seconds, stored.reused)
    return PulledTree(stored_tree(stored, "ostree"), rpm_set)


def _limits(variant: Variant) -> CommitLimits:
    return CommitLimits(variant.commit_size_mib, variant.commit_files)


def _keys(source: OstreeSource, variant: Variant) -> Path | None:
    if not source.verified:
        return None
    if not variant.ostree_key:
        raise WorkbookError(
            f"{source.source}: ostreesetup without --nogpg: the commit must be signed, but no key is known that may "
            "have signed it",
            hint="name the file of the public key in ostree_key (--set ostree_key=FILE)",
        )
    path = CHECKOUT / variant.ostree_key
    if not path.is_file():
        raise WorkbookError(f"ostree_key: {path}: no such file", hint="the path is relative to the checkout")
    return path


def _locked_commit(path: Path) -> str:
    commit = read_lock(path).commit
    if not _CHECKSUM.fullmatch(commit):
        raise WorkbookError(
            f"{path}: is a lock of packages, but the recipe deploys a commit",
            hint="use the lock of an earlier build of this recipe",
        )
    return commit


def _inputs(request: PullRequest, _: Context) -> dict[str, object]:
    return {
        "commit": request.commit,
        "ref": request.source.ref,
        "keys": sha256(request.keys.read_bytes()).hexdigest() if request.keys else "",
    }


def _make(request: PullRequest, context: Context, directory: Path) -> None:
    repo, commit = directory / "repo", request.commit
    for name in ("repo", "rpms", "keys"):
        (directory / name).mkdir()
    OstreeRemote(context.tools, request.source, request.keys, request.limits).pull(repo, commit)
    place, limits = f"{request.source.source}: commit {commit}", request.limits
    with in_memory(directory / "checkout", limits.memory_size, files=limits.files) as memory:
        try:
            root = checked_out(context.tools, repo, commit, memory)
        except WorkbookError as error:
            raise limits.full(memory, place) or error from None
        tree = Installroot(context.tools, root, 0)
        write_entries(walk_tree(tree.root), directory / "entries.jsonl")
        _read_packages(tree, commit, directory, place)
        contexts = f"usr/{contexts_directory(_policy(tree.files))}"
        if tree.files.has_file(f"{contexts}/{CONTEXTS_FILE}"):
            keep_contexts(tree.files, contexts, directory / CONTEXTS)
        made = {"kver": kernel_version(tree.files), "changed_files": [], "dropped_files": [], "left_out": []}
    facts = {**made, **commit_facts(context.tools, repo, commit)}
    (directory / "tree.json").write_text(json.dumps(facts, indent=1))


PULLED = Stage(
    "pulled-tree", _make, _inputs, title=lambda request: f"{request.name}: pull the commit", space_bytes=3_000_000_000
)


def _read_packages(tree: Installroot, commit: str, directory: Path, place: str) -> None:
    """Write the lock and the owners of files, from the commit's own RPM database."""
    database = _database(tree.files, place)
    for name in ("dev", "proc"):  # they are mounted where programs of rpm read the tree
        if not tree.files.is_directory(name):
            raise WorkbookError(f"{place}: /{name} is no directory", hint="deploy another commit: this one cannot boot")
    try:
        lock = Lock(LOCK_CONTENT, installed_packages(tree, database), commit)
        require_plain(lock, place)
        write_lock(lock, directory / LOCK_FILE)
        write_owners(tree, directory, database)
    except CommandError as error:
        raise WorkbookError(
            f"{place}: its RPM database cannot be read",
            log=error.log,
            hint="deploy a commit whose database this rpm reads (SQLite), or one that is not damaged",
        ) from None


def checked_out(tools: Tools, repo: Path, commit: str, memory: Path) -> Path:
    """A copy of the files of a commit in memory, with modes, but without owners and labels."""
    binds = [Bind(repo, "/mnt/repo"), Bind(memory, "/mnt/memory", writable=True)]
    words = ["ostree", "checkout", "--repo=/mnt/repo", "--user-mode", "--force-copy", commit, "/mnt/memory/root"]
    tools.run(words, binds=binds, rights="root")
    return memory / "root"


def _database(files: TreeFiles, place: str) -> str:
    """The directory of the RPM database, without links, relative to the root."""
    for name in (f"{directory}/{file}" for directory in _DATABASES for file in _DATABASE_FILES):
        if files.has_file(name):
            found = str(files.on_host(name).parent.relative_to(files.root.resolve()))
            if not _PLAIN_PATH.fullmatch(found):
                raise WorkbookError(
                    f"{place}: the directory of its RPM database has a name that rpm could take for a macro",
                    hint="deploy another commit: this one was made to run something",
                )
            return found
    raise WorkbookError(
        f"{place} has no RPM database in /{' or /'.join(_DATABASES)}, so its packages are not known",
        hint="only commits of RPM packages are deployed, as rpm-ostree composes them",
    )


def _policy(files: TreeFiles) -> str:
    """The name of the SELinux policy of a commit (selinux_config(5))."""
    found = re.search(r"(?m)^[ \t]*SELINUXTYPE[ \t]*=[ \t]*([\w-]+)[ \t]*$", files.text("usr/etc/selinux/config") or "")
    return found[1] if found else _DEFAULT_POLICY
