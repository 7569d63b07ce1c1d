"""The packages of a lock: copies them from the cache, fetches missing ones, and compares all with the lock."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import copy_file
from atomic_lib.base.store import file_sha256
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_cache import cached_rpm
from atomic_lib.solve.rpm_ostree.lockfile import AvailablePackage
from atomic_lib.solve.solver_errors import solver_error
from atomic_lib.solve.words import require_plain
from atomic_lib.tools.sandbox import Bind

_NEVRA_FORMAT = r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{VENDOR}\n"


def read_rpms(dnf: Dnf, rpms: Path, repos: Mapping[str, str]) -> Lock:
    """The lock of the RPM files in the directory ``rpms``; ``repos`` has the repository of each by NEVRA.

    Each file gets the usual name of its package: a repository may call it otherwise.

    Raises WorkbookError for a package whose NEVRA is none that rpm accepts, and if two have the same usual name.
    """
    files = sorted(rpms.glob("*.rpm"))
    listing = dnf.tools.run(
        ["rpm", "-qp", "--nosignature", "--qf", _NEVRA_FORMAT, *(f"/mnt/rpms/{file.name}" for file in files)],
        binds=[Bind(rpms, "/mnt/rpms")],
    ).stdout
    rows = [line.split("\t") for line in listing.split("\n") if line]
    if len(rows) != len(files) or any(len(row) != _NEVRA_FORMAT.count("%") for row in rows):
        raise WorkbookError(f"content {dnf.content.name!r}: a package's name or version has a tab or a line feed")
    packages = []
    for file, (name, epoch, version, release, arch, vendor) in zip(files, rows, strict=True):
        digest, size_bytes = file_sha256(file), file.stat().st_size
        package = LockedPackage(name, int(epoch), version, release, arch, digest, size_bytes, "", _given(vendor))
        packages.append(replace(package, repo=repos.get(package.nevra, "")))
    lock = Lock(dnf.content.name, tuple(sorted(packages)))
    require_plain(lock, f"content {dnf.content.name!r}")
    _give_usual_names(files, packages)
    return lock


def _give_usual_names(files: Sequence[Path], packages: Sequence[LockedPackage]) -> None:
    odd = [(file, package) for file, package in zip(files, packages, strict=True) if file.name != package.file_name]
    for number, (file, _) in enumerate(odd):  # out of the way: one may have the usual name of another
        file.rename(file.with_name(f".{number}"))
    for number, (file, package) in enumerate(odd):
        if file.with_name(package.file_name).exists():
            raise WorkbookError(
                f"{package.nevra}: another package of the set has a file of the same name, {package.file_name}",
                hint="leave one of the two out",
            )
        file.with_name(f".{number}").rename(file.with_name(package.file_name))


def _given(tag: str) -> str:
    return "" if tag == "(none)" else tag


def available_packages(dnf: Dnf, others: Sequence[str] = ()) -> list[AvailablePackage]:
    """All packages that dnf sees in its repositories, and in the repositories ``others``."""
    form = "%{name}|%{epoch}|%{version}|%{release}|%{arch}|%{repoid}"
    enabled = [f"--enablerepo={','.join(others)}"] if others else []
    rows = (line.split("|") for line in dnf.run([*enabled, "-q", "repoquery", "--qf", form]).splitlines())
    return [AvailablePackage(row[0], int(row[1]), *row[2:]) for row in rows if len(row) == 6]


def fetch_locked(lock: Lock, dnf: Dnf, rpms: Path, cache: Path) -> Lock:
    """Fill the directory ``rpms`` with the packages of ``lock``, and return the lock.

    Raises WorkbookError if a package is no longer available, or a file does not match the lock.
    """
    cached = {package: cached_rpm(package, cache / "rpms") for package in lock.packages}
    kept = [package for package, file in cached.items() if file]
    for package, file in cached.items():
        if file:
            copy_file(file, rpms / package.file_name)
    missing = [package for package in lock.packages if package not in kept]
    if missing:
        _fetch_missing(missing, kept, dnf, rpms)
    repos = {package.nevra: package.repo for package in lock.packages}
    require_locked(lock, read_rpms(dnf, rpms, repos).packages)
    return lock


def require_locked(lock: Lock, packages: Iterable[LockedPackage]) -> None:
    """Raise WorkbookError with a line for each locked package that is not among ``packages`` with sha256 and size."""
    found = {package.nevra: package for package in packages}
    digests = {nevra: package.sha256 for nevra, package in found.items()}
    others = [
        f"{package.nevra}: sha256 is {digests.get(package.nevra, 'missing')}, the lock says {package.sha256}"
        for package in lock.packages
        if digests.get(package.nevra) != package.sha256
    ]
    if others:
        hint = "the repository has a different build of it: resolve anew, or restore the locked build"
        raise WorkbookError("\n".join(others), hint=hint)
    sizes = [(one, found[one.nevra].size_bytes) for one in lock.packages]
    wrong = [f"{one.nevra}: size is {size} bytes, the lock says {one.size_bytes}" for one, size in sizes
             if size != one.size_bytes]  # fmt: skip
    if wrong:
        raise WorkbookError("\n".join(wrong), hint="the lock was changed: copy it from the build again")


def _fetch_missing(missing: Sequence[LockedPackage], kept: Sequence[LockedPackage], dnf: Dnf, rpms: Path) -> None:
    """Download the missing packages, each from the repository that the lock names.

    dnf also gets the ``kept`` ones: the repository may now have other builds.
    """
    fetched = dnf.directory / "fetched"
    fetched.mkdir()
    words = [*(package.nevra for package in missing), *(f"/mnt/kept/{package.file_name}" for package in kept)]
    try:
        dnf.run(
            ["--downloadonly", "--destdir=/mnt/rpms", "install", *words],
            binds=[Bind(fetched, "/mnt/rpms", writable=True), Bind(rpms, "/mnt/kept")],
            pinned=[(package.repo, (package.nevra,)) for package in missing if package.repo in dnf.content.repo_ids],
        )
    except CommandError as error:
        unknown = set(re.findall(r"No match for argument: (\S+)", error.stdout + error.stderr))
        gone = [package.nevra for package in missing if package.nevra in unknown]
        if not gone:
            raise solver_error(dnf, error) from None
        raise WorkbookError(
            f"locked packages can no longer be had from content {dnf.content.name!r}: {', '.join(gone)}", log=error.log,
            hint="resolve anew (without the lock), or restore the repository that has them",
        ) from None  # fmt: skip
    if any(fetched.glob("*.rpm")):
        read_rpms(dnf, fetched, {})  # which gives them their usual names
    # dnf also fetched their requirements; those that are locked are among the kept packages already.
    for package in missing:
        if (fetched / package.file_name).exists():
            (fetched / package.file_name).rename(rpms / package.file_name)
