"""From recipe and content to an RPM set: solved by dnf, locked, every file verified and kept."""

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import link_file
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256
from atomic_lib.content.comps import expand_groups
from atomic_lib.content.dnf import DNF_CACHE, DNF_DIRECTORY, dnf_configuration, repository_error
from atomic_lib.content.repositories import Content
from atomic_lib.content.signing import index_repository
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.lock import Lock, LockedPackage, read_lock, write_lock
from atomic_lib.solve.rpm_cache import is_kept, keep_keys, keep_rpms
from atomic_lib.solve.why import explain_excluded
from atomic_lib.tools.context import Context
from atomic_lib.tools.tools_tree import Bind, Tools

INSTALLROOT = "/mnt/root"
_NEVRA_FORMAT = r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n"


@dataclass(frozen=True)
class RpmSet:
    """A directory with exactly the locked RPMs, indexed as a repository."""

    key: str
    lock: Lock
    directory: Path
    words: tuple[str, ...]
    """What dnf was asked to install."""
    seconds: float
    reused: bool

    @property
    def keys(self) -> Path:
        """The public keys that its RPMs are signed with, in files ``KEYID.asc``; not those of remote repositories."""
        return self.directory.parent / "keys"

    @property
    def download_bytes(self) -> int:
        """The size of all RPM files together."""
        return sum(package.size_bytes for package in self.lock.packages)


@dataclass(frozen=True)
class Dnf:
    """dnf in the tools tree with one content's repositories; ``directory`` holds its configuration and caches."""

    tools: Tools
    content: Content
    recipe: Recipe
    directory: Path

    def run(self, words: Sequence[str], *, binds: Sequence[Bind] = ()) -> str:
        """Run ``dnf WORDS``; returns its standard output.

        Raises WorkbookError naming a local repository that was changed, CommandError for all else.
        """
        (self.directory / "config").mkdir(exist_ok=True)
        (self.directory / "root").mkdir(exist_ok=True)
        (self.directory / "config/dnf.conf").write_text(
            dnf_configuration(weak_dependencies=self.recipe.weak_dependencies, documentation=self.recipe.documentation)
        )
        (self.directory / "config/all.repo").write_text(self.content.repo_text)
        cache = self.content.dnf_cache or self.directory / "cache"
        cache.mkdir(exist_ok=True)
        own = [
            Bind(self.directory / "config", DNF_DIRECTORY),
            Bind(self.directory / "root", INSTALLROOT, writable=True),
            Bind(cache, f"{INSTALLROOT}{DNF_CACHE}", writable=True),
        ]
        line = ["dnf", "-y", "-c", f"{DNF_DIRECTORY}/dnf.conf", f"--installroot={INSTALLROOT}",
                f"--releasever={self.content.releasever}", *_enabled_repos(self.recipe), *words]  # fmt: skip
        binds = [*own, *self.content.binds, *binds]
        try:
            return self.tools.run(line, binds=binds, rights="root", network=self.content.remote).stdout
        except CommandError as error:
            raise repository_error(error, self.content.local) or error from None


def install_words(recipe: Recipe, group_packages: Iterable[str]) -> list[str]:
    """dnf's words to install what the recipe names, groups expanded, exclusions taken out."""
    from_groups = [name for name in group_packages if not any(fnmatchcase(name, out) for out in recipe.excludes)]
    excludes = [f"--exclude={','.join(recipe.excludes)}"] if recipe.excludes else []
    return [*excludes, "install", *sorted({*recipe.packages, *from_groups})]


@dataclass(frozen=True)
class RpmSetRequest:
    """What to resolve: ``name`` is the variant's, ``locked`` the lock to keep to, ``words`` what dnf is asked for."""

    name: str
    recipe: Recipe
    content: Content
    locked: Lock | None
    words: tuple[str, ...]


def resolve_rpm_set(recipe: Recipe, content: Content, context: Context, *, name: str, lock_file: Path | None) -> RpmSet:
    """The RPM set that ``recipe`` needs from ``content``, or exactly that of ``lock_file``.

    RPM files are kept by sha256 in the cache, so that a lock can be rebuilt from even
    when the repository has moved on.

    Raises WorkbookError: a package unknown, an excluded one required (with the chain that
    requires it), a locked one no longer available, a file that is not what the lock says.
    """
    _require_fitting(recipe, content)
    locked = read_lock(lock_file) if lock_file else None
    if locked and locked.content != content.name:
        raise WorkbookError(f"{lock_file}: is a lock of content {locked.content!r}, the variant has {content.name!r}")
    groups = expand_groups(content.comps(context.tools), recipe.groups, str(recipe.files[0]))
    words = tuple(install_words(recipe, groups))
    stored = RPM_SET.get(RpmSetRequest(name, recipe, content, locked, words), context)
    lock = read_lock(stored.path / "lock.json")
    if locked:
        _require_locked(locked, lock.packages)  # a lock's sizes are no part of its sha256, which the result is kept by
    return RpmSet(stored.key, lock, stored.path / "rpms", words, stored.seconds, stored.reused)


def _inputs(request: RpmSetRequest, _: Context) -> dict[str, object]:
    return {
        "content": "" if request.locked else request.content.key,
        "lock": request.locked.sha256 if request.locked else "",
        "words": request.words,
        "repos": request.recipe.repos,
        "weak_dependencies": request.recipe.weak_dependencies,
        "releasever": request.content.releasever,
    }


def _make(request: RpmSetRequest, context: Context, directory: Path) -> None:
    tools, cache, locked = context.tools, context.cache, request.locked
    rpms = directory / "rpms"
    rpms.mkdir()
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        dnf = Dnf(tools, request.content, request.recipe, Path(scratch))
        lock = _fetch_locked(locked, dnf, rpms, cache) if locked else _resolve(dnf, request.words, rpms)
        index_repository(tools, rpms)
    keep_rpms(lock, rpms, cache / "rpms")
    keep_keys(tools, request.content, rpms, directory / "keys", cache / "keys")
    write_lock(lock, directory / "lock.json")


RPM_SET = Stage(
    "rpm-set", _make, _inputs, title=lambda request: f"{request.name}: resolve packages", space_bytes=1_000_000_000
)


def _enabled_repos(recipe: Recipe) -> list[str]:
    return ["--disablerepo=*", f"--enablerepo={','.join(recipe.repos)}"] if recipe.repos else []


def _require_fitting(recipe: Recipe, content: Content) -> None:
    if recipe.releasever not in (None, content.releasever):
        raise WorkbookError(
            f"{recipe.files[0]}: releasever {recipe.releasever!r}: content {content.name!r} has {content.releasever!r}",
            hint=f"leave the key out, or set releasever in params/content/{content.name}.yaml",
        )
    known = content.repo_ids
    unknown = [repo for repo in recipe.repos if repo not in known]
    if unknown:
        raise WorkbookError(
            f"{recipe.files[0]}: repos: content {content.name!r} has no repository {unknown[0]!r}",
            hint=f"it has: {', '.join(known)}",
        )


def _resolve(dnf: Dnf, words: Sequence[str], rpms: Path) -> Lock:
    try:
        dnf.run(["--downloadonly", "--destdir=/mnt/rpms", *words], binds=[Bind(rpms, "/mnt/rpms", writable=True)])
    except CommandError as error:
        raise _solver_error(dnf, error) from None
    return _read_rpms(dnf, rpms)


def _solver_error(dnf: Dnf, error: CommandError) -> WorkbookError:
    if error.status != 1:  # anything else is not dnf's own verdict
        return error
    said = error.stdout + error.stderr
    source = dnf.recipe.files[0]
    unknown = re.search(r"No match for argument: (\S+)", said)
    if unknown:
        return WorkbookError(
            f"{_place_of(unknown[1], dnf.recipe)}: content {dnf.content.name!r} has no package {unknown[1]!r}",
            hint="correct the name, or add the package to the content",
        )
    unsigned = re.search(
        r".*(?:not signed|not correct for|[Pp]ublic key .*not installed|signature|check FAILED).*", said
    )
    if unsigned:
        return WorkbookError(
            f"{source}: a package's signature is missing, bad, or of a key that content {dnf.content.name!r} "
            f"does not name: {unsigned[0].strip()}",
            log=error.log,
            hint="do not install it: take the package from another mirror, or correct gpgkey= in the repository file",
        )
    if re.search(r"Error downloading|Curl error|Cannot download", said):
        return WorkbookError(
            f"{source}: a mirror of content {dnf.content.name!r} was not reached",
            log=error.log,
            hint="check the network, and run again: what was made is kept",
        )
    chain = explain_excluded(dnf.recipe, lambda words: dnf.run(words))
    if chain:
        return WorkbookError(
            f"{source}: {chain[-1]} is excluded, yet the recipe needs it: {' → '.join(chain)}",
            log=error.log,
            hint=f"leave {chain[0]} out, or take {chain[-1]} out of exclude-packages",
        )
    return WorkbookError(
        f"{source}: dnf found no solution for content {dnf.content.name!r}",
        log=error.log,
        hint="correct the package names, or add the packages to the content",
    )


def _place_of(package: str, recipe: Recipe) -> str:
    """``FILE:LINE`` of the recipe where a package is named."""
    word = re.compile(rf"(?<![\w.+-]){re.escape(package)}(?![\w.+-])")
    for file in recipe.files:
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            if word.search(line.partition("#")[0]):
                return f"{file}:{number}"
    return str(recipe.files[0])


def _read_rpms(dnf: Dnf, rpms: Path) -> Lock:
    files = sorted(rpms.glob("*.rpm"))
    listing = dnf.tools.run(
        ["rpm", "-qp", "--nosignature", "--qf", _NEVRA_FORMAT, *(f"/mnt/rpms/{file.name}" for file in files)],
        binds=[Bind(rpms, "/mnt/rpms")],
    ).stdout
    rows = [line.split("\t") for line in listing.splitlines()]
    repos = _repo_of(dnf)
    packages = []
    for file, (name, epoch, version, release, arch) in zip(files, rows, strict=True):
        repo = repos.get((name, epoch, version, release, arch), "")
        digest, size_bytes = file_sha256(file), file.stat().st_size
        packages.append(LockedPackage(name, int(epoch), version, release, arch, digest, size_bytes, repo))
    return Lock(dnf.content.name, tuple(sorted(packages)))


def _repo_of(dnf: Dnf) -> dict[tuple[str, ...], str]:
    form = "%{name}|%{epoch}|%{version}|%{release}|%{arch}|%{repoid}"
    lines = dnf.run(["-q", "repoquery", "--qf", form]).splitlines()
    return {tuple(parts[:5]): parts[5] for parts in (line.split("|") for line in lines) if len(parts) == 6}


def _fetch_locked(lock: Lock, dnf: Dnf, rpms: Path, cache: Path) -> Lock:
    kept = [package for package in lock.packages if is_kept(package, cache / "rpms")]
    for package in kept:
        link_file(cache / "rpms" / f"{package.sha256}.rpm", rpms / package.file_name)
    missing = [package for package in lock.packages if package not in kept]
    if missing:
        _fetch_missing(missing, kept, dnf, rpms)
    _require_locked(lock, _read_rpms(dnf, rpms).packages)
    return lock


def _require_locked(lock: Lock, packages: Iterable[LockedPackage]) -> None:
    found = {package.nevra: package for package in packages}
    digests = {nevra: package.sha256 for nevra, package in found.items()}
    others = [
        f"{package.nevra}: sha256 is {digests.get(package.nevra, 'missing')}, the lock says {package.sha256}"
        for package in lock.packages
        if digests.get(package.nevra) != package.sha256
    ]
    if others:
        hint = "the repository has another build of it: resolve anew, or bring back the one that was locked"
        raise WorkbookError("\n".join(others), hint=hint)
    sizes = [(one, found[one.nevra].size_bytes) for one in lock.packages]
    wrong = [f"{one.nevra}: size is {size} bytes, the lock says {one.size_bytes}" for one, size in sizes
             if size != one.size_bytes]  # fmt: skip
    if wrong:
        raise WorkbookError("\n".join(wrong), hint="the lock was changed: take it from the build again")


def _fetch_missing(missing: Sequence[LockedPackage], kept: Sequence[LockedPackage], dnf: Dnf, rpms: Path) -> None:
    """Download what is not kept; dnf sees the ``kept`` ones too, because the repository may have other editions now."""
    fetched = dnf.directory / "fetched"
    fetched.mkdir()
    words = [*(package.nevra for package in missing), *(f"/mnt/kept/{package.file_name}" for package in kept)]
    try:
        dnf.run(["--downloadonly", "--destdir=/mnt/rpms", "install", *words],
                binds=[Bind(fetched, "/mnt/rpms", writable=True), Bind(rpms, "/mnt/kept")])  # fmt: skip
    except CommandError as error:
        said = set(re.findall(r"No match for argument: (\S+)", error.stdout + error.stderr))
        gone = [package.nevra for package in missing if package.nevra in said]
        if not gone:
            raise _solver_error(dnf, error) from None
        raise WorkbookError(
            f"locked packages can no longer be had from content {dnf.content.name!r}: {', '.join(gone)}", log=error.log,
            hint="resolve anew (without the lock), or bring back the repository that has them",
        ) from None  # fmt: skip
    # What these require was fetched along, and is among the kept ones already.
    for package in missing:
        if (fetched / package.file_name).exists():
            (fetched / package.file_name).rename(rpms / package.file_name)
