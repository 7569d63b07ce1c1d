"""The stage that resolves a recipe to an RPM set: dnf solves, every file is locked, verified and cached."""

import json
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import SPARSE_BYTES
from atomic_lib.base.sharing.shared_files import newest_whole, share_files
from atomic_lib.base.stage import Stage
from atomic_lib.content.repositories import Content
from atomic_lib.content.signing import index_repository
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf, install_words
from atomic_lib.solve.group_members import GroupMembers, group_members, members_to_install
from atomic_lib.solve.lock import LOCK_FILE, Lock, read_lock, write_lock
from atomic_lib.solve.locked import available_packages, fetch_locked, read_rpms, require_locked
from atomic_lib.solve.rpm_cache import keep_imported_keys, keep_keys, keep_rpms
from atomic_lib.solve.rpm_ostree.lockfile import (
    Lockfile,
    hidden_packages,
    read_requested_lock,
    require_available,
    require_digests,
)
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.solve.solver import download
from atomic_lib.solve.solver_errors import solver_error
from atomic_lib.solve.words import require_plain
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools


@dataclass(frozen=True)
class RpmSetRequest:
    """What to resolve: ``name`` is the variant's, ``members`` those of the groups.

    ``locked``: the lock to use. ``lockfile``: the versions that packages must have.
    """

    name: str
    recipe: Recipe
    content: Content
    locked: Lock | None
    members: GroupMembers
    lockfile: Lockfile | None = None


def resolve_rpm_set(recipe: Recipe, content: Content, context: Context, *, name: str, lock_file: Path | None) -> RpmSet:
    """The RPM set that ``recipe`` needs from ``content``, or exactly that of ``lock_file``.

    If ``lock_file`` is a lockfile of rpm-ostree, the set is resolved with the versions that it names. The cache keeps
    RPM files by sha256, so that a lock can be used even after the repository has changed.

    Raises WorkbookError if a package is unknown, an excluded package is required (with the
    chain of requirements), a locked package is not available, or a file does not match
    the lock.
    """
    require_fitting(recipe, content, locked=lock_file is not None)
    requested = read_requested_lock(lock_file) if lock_file else None
    lockfile = requested if isinstance(requested, Lockfile) else None
    locked = requested if isinstance(requested, Lock) else None
    if locked and locked.commit:  # its packages have no files, and their sha256 need not be one
        raise WorkbookError(
            f"{lock_file}: is the lock of a commit, but the recipe installs packages",
            hint="use the lock of a build of this recipe",
        )
    if locked:
        require_plain(locked, str(lock_file))
    if locked and locked.content != content.name:
        raise WorkbookError(
            f"{lock_file}: is a lock of content {locked.content!r}, the variant has {content.name!r}",
            hint=f"use a lock of content {content.name!r}, or set content: {locked.content}",
        )
    members = group_members(content.comps(context.tools), recipe)
    stored = RPM_SET.get(RpmSetRequest(name, recipe, content, locked, members, lockfile), context)
    words = tuple(json.loads((stored.path / "words.json").read_text()))
    lock = read_lock(stored.path / LOCK_FILE)
    if locked:
        require_locked(locked, lock.packages)  # checks the sizes, which are not part of the sha256 in the key
    return RpmSet(stored.key, lock, stored.path / "rpms", words, stored.seconds, stored.reused)


def _inputs(request: RpmSetRequest, _: Context) -> dict[str, object]:
    return {
        "content": "" if request.locked else request.content.key,
        "lock": request.locked.sha256 if request.locked else "",
        "words": install_words(request.recipe, request.members.packages),
        "conditional": request.members.conditional,
        "lockfile": request.lockfile.inputs() if request.lockfile else None,
        "lockfile_repos": request.recipe.lockfile_repos,
        "repos": request.recipe.repos,
        "extra_repos": request.recipe.extra_repos,
        "repo_packages": request.recipe.repo_packages,
        "weak_dependencies": request.recipe.weak_dependencies,
        "releasever": request.content.releasever,
    }


def _make(request: RpmSetRequest, context: Context, directory: Path) -> dict[str, str]:
    tools, cache, locked = context.tools, context.cache, request.locked
    rpms = directory / "rpms"
    rpms.mkdir()
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        dnf = Dnf(tools, request.content, request.recipe, Path(scratch))
        if locked:
            dnf = replace(dnf, locked=[package.nevra for package in locked.packages])
            lock = fetch_locked(locked, dnf, rpms, cache)
            names = {package.name for package in lock.packages}
            words = install_words(dnf.recipe, request.members.among(names, _provided(tools, rpms)))
        elif request.lockfile:
            words, lock = _resolve(_with_lockfile(dnf, request.lockfile), request.members, rpms, cache)
            require_digests(request.lockfile, lock.packages, rpms)
        else:
            words, lock = _resolve(dnf, request.members, rpms, cache)
        if (dnf.directory / "root").is_dir():  # not if all that is locked was in the cache
            keep_imported_keys(tools, dnf.directory / "root", cache / "keys")
    with ThreadPoolExecutor(1) as beside:
        index = beside.submit(index_repository, tools, rpms)
        keep_rpms(lock, rpms, cache / "rpms")
        keep_keys(tools, request.content, rpms, directory / "keys", cache=cache / "keys")
        index.result()
    write_lock(lock, directory / LOCK_FILE)
    (directory / "words.json").write_text(json.dumps(words))
    share_rpms(lock, rpms, context.store.results(RPM_SET.name))
    return {f"{rpms.name}/{one.file_name}": one.sha256 for one in lock.packages if one.size_bytes < SPARSE_BYTES}


RPM_SET = Stage(
    "rpm-set", _make, _inputs, title=lambda request: f"{request.name}: resolve packages", space_bytes=1_000_000_000
)


def share_rpms(lock: Lock, rpms: Path, earlier: Iterable[Path]) -> None:
    """Make the RPM files that earlier sets have, too, by the sha256 in their locks, hard links to theirs.

    A set that is removed meanwhile, or has a lock of another format, shares nothing.
    """
    digests = {package.file_name: package.sha256 for package in lock.packages}
    for result in newest_whole(earlier):
        try:
            known = {package.file_name: package.sha256 for package in read_lock(result / LOCK_FILE).packages}
        except WorkbookError:
            continue
        same = [name for name, sha256 in digests.items() if known.get(name) == sha256]
        share_files(rpms, same, result / rpms.name)


def require_fitting(recipe: Recipe, content: Content, *, locked: bool = False) -> None:
    """Raise WorkbookError for a recipe of another release, or with a repository that the content lacks."""
    if recipe.releasever not in (None, content.releasever):
        raise WorkbookError(
            f"{recipe.files[0]}: releasever {recipe.releasever!r}: content {content.name!r} has {content.releasever!r}",
            hint=f"remove the key, or set releasever in params/content/{content.name}.yaml",
        )
    known = content.repo_ids
    named = [*recipe.repos, *recipe.extra_repos, *(repo for repo, _ in recipe.repo_packages)]
    named += recipe.lockfile_repos if locked else ()
    unknown = [repo for repo in named if repo not in known]
    if unknown:
        raise WorkbookError(
            f"{recipe.files[0]}: repos: content {content.name!r} has no repository {unknown[0]!r}",
            hint=f"it has: {', '.join(known)}; or put a .repo file with it beside the treefile",
        )


def _with_lockfile(dnf: Dnf, lockfile: Lockfile) -> Dnf:
    """A dnf that sees the packages of the lockfile in its versions only."""
    available = available_packages(dnf, dnf.recipe.lockfile_repos)
    require_available(lockfile, available, dnf.content.name)
    pinned = {package.name: package for package in lockfile.packages}
    own = sorted({one.nevra for one in available if one.name in pinned and pinned[one.name].is_build(one)})
    return replace(dnf, hidden=hidden_packages(lockfile, available), locked=own)


def _provided(tools: Tools, rpms: Path) -> set[str]:
    """The names of all that the RPMs in a directory provide, their own names among them."""
    words = ["rpm", "-qp", "--nosignature", "--qf", r"[%{PROVIDENAME}\n]"]
    files = [f"/mnt/rpms/{file.name}" for file in sorted(rpms.glob("*.rpm"))]
    return set(tools.run([*words, *files], binds=[Bind(rpms, "/mnt/rpms")]).stdout.split("\n"))


def _resolve(dnf: Dnf, members: GroupMembers, rpms: Path, cache: Path) -> tuple[list[str], Lock]:
    """Fetch what dnf resolves the recipe to; returns dnf's arguments, and the lock."""
    try:
        words = install_words(dnf.recipe, members_to_install(dnf, members))
        repos = download(dnf, words, rpms, cache / "rpms")
    except CommandError as error:
        raise solver_error(dnf, error) from None
    return words, read_rpms(dnf, rpms, repos)
