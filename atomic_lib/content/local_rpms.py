"""RPMs of the user's own: a directory of them becomes one more repository of any content.

Each must be signed with a key that the user names, or the user says that they are trusted as they are. Those get a
signature of the workbook's, as every package has one that dnf checks, and dnf has no other way for them.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import copy_file
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256
from atomic_lib.content.signing import KEY_FILE, index_and_sign, sign_rpms
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

LOCAL = "local"
"""The id of the repository."""
PACKAGE_KEYS = f"{KEY_FILE}-packages"
"""The file of a repository with the keys of its packages, if they are not those of its index."""
_ARCHITECTURES = ("x86_64", "noarch", "i686")
_DATABASE = "/mnt/rpmdb"
_ACCEPTED = "local_rpms must be a directory with RPM files, relative to the checkout"
# Of rpm's levels, "all" refuses what has no signature by a known key; without signatures, only what is damaged.
_SIGNED = ("--define", "_pkgverify_level all", "--checksig")
_WHOLE = ("--define", "_pkgverify_level digest", "--nosignature", "--checksig")


@dataclass(frozen=True)
class LocalRpms:
    """A directory with RPM files. ``keys``: the file of the OpenPGP public keys that signed them; None: they are
    trusted as they are."""

    directory: Path
    keys: Path | None


@dataclass(frozen=True)
class LocalRepository:
    """The repository made of them, the names of its packages, and what these require (bare names)."""

    path: Path
    names: frozenset[str]
    requires: frozenset[str]


@dataclass(frozen=True)
class LocalRequest:
    """The files of a repository, with the sha256 of each."""

    local: LocalRpms
    digests: tuple[tuple[str, str], ...]
    keys_sha256: str


def local_repository_of(local: LocalRpms, context: Context) -> LocalRepository:
    """The repository of the RPMs in a directory; made first if it is not in the cache.

    Raises WorkbookError naming the directory, the key or each file that cannot be used.
    """
    path = LOCAL_RPMS.get(_request(local), context).path
    packages = json.loads((path / "packages.json").read_text())
    return LocalRepository(path, frozenset(packages["names"]), frozenset(packages["requires"]))


def has_local_repository(local: LocalRpms, context: Context) -> bool:
    """Whether ``local_repository_of`` would find the repository in the cache. Raises WorkbookError as that does."""
    return LOCAL_RPMS.has(_request(local), context)


def _request(local: LocalRpms) -> LocalRequest:
    if not local.directory.is_dir():
        raise WorkbookError(f"local_rpms: {local.directory}: no such directory", hint=_ACCEPTED)
    files = sorted(local.directory.glob("*.rpm"))
    if not files:
        raise WorkbookError(f"local_rpms: {local.directory}: has no file *.rpm", hint=_ACCEPTED)
    odd = [file.name for file in files if not file.is_file() or not file.name.isprintable()]
    if odd:
        raise WorkbookError(f"local_rpms: {local.directory}: {odd[0]!r} is not a regular file with a plain name")
    if local.keys and not local.keys.is_file():
        raise WorkbookError(f"local_rpms_key: {local.keys}: no such file", hint="the path is relative to the checkout")
    digests = tuple((file.name, file_sha256(file)) for file in files)
    return LocalRequest(local, digests, file_sha256(local.keys) if local.keys else "")


def _inputs(request: LocalRequest, _: Context) -> dict[str, object]:
    return {"files": request.digests, "keys": request.keys_sha256}


def _make(request: LocalRequest, context: Context, directory: Path) -> None:
    tools, local = context.tools, request.local
    for name, digest in request.digests:
        copy_file(local.directory / name, directory / name)
        if file_sha256(directory / name) != digest:
            raise WorkbookError(f"local_rpms: {local.directory / name}: changed meanwhile", hint="run again")
        os.chmod(directory / name, 0o644)
    names = [name for name, _ in request.digests]
    _check(tools, directory, names, local)
    _require_architectures(tools, directory, names, local)
    if local.keys is None:
        sign_rpms(tools, directory, [directory / name for name in names], LOCAL)
    else:
        copy_file(local.keys, directory / PACKAGE_KEYS)
    index_and_sign(tools, directory, LOCAL)
    headers = read_headers(tools, directory)
    requires = {name for header in headers.values() for name in header.requires}
    packages = {"names": sorted(headers), "requires": sorted(requires)}
    (directory / "packages.json").write_text(json.dumps(packages))


LOCAL_RPMS = Stage(
    "local-rpms", _make, _inputs, title=lambda request: f"RPMs of {request.local.directory.name}", shared=True
)


def _check(tools: Tools, directory: Path, names: Sequence[str], local: LocalRpms) -> None:
    """Raise WorkbookError naming the RPMs that are damaged, or not signed with one of the keys."""
    with tempfile.TemporaryDirectory(dir=directory) as database:
        binds = [Bind(directory, "/mnt/rpms"), Bind(Path(database), _DATABASE, writable=True)]
        rpmkeys = ["rpmkeys", "--define", f"_dbpath {_DATABASE}"]
        if local.keys:
            try:
                tools.run(
                    [*rpmkeys, "--import", "/mnt/key"], binds=[*binds, Bind(local.keys, "/mnt/key")], rights="root"
                )
            except CommandError as error:
                raise WorkbookError(
                    f"local_rpms_key: {local.keys}: not a file of OpenPGP public keys",
                    hint="write it with gpg --armor --export NAME",
                    log=error.log,
                ) from None
        check = [*rpmkeys, *(_SIGNED if local.keys else _WHOLE)]

        def refusal(*files: str) -> CommandError | None:
            try:
                tools.run([*check, *(f"/mnt/rpms/{name}" for name in files)], binds=binds, rights="root")
            except CommandError as error:
                return error
            return None

        if found := refusal(*names):
            raise _bad_rpms([name for name in names if refusal(name)], found, local)


def _bad_rpms(names: Sequence[str], error: CommandError, local: LocalRpms) -> WorkbookError:
    wrong = f"not signed with a key in {local.keys}" if local.keys else "damaged, or not an RPM"
    hint = "name the file of the keys that signed them in local_rpms_key, or set local_rpms_trusted: true in its place"
    return WorkbookError(
        "\n".join(f"local_rpms: {local.directory / name}: {wrong}" for name in names),
        hint=hint if local.keys else "make or download the file again",
        log=error.log,
    )


def _require_architectures(tools: Tools, directory: Path, names: Sequence[str], local: LocalRpms) -> None:
    query = ["rpm", "-qp", "--nosignature", "--qf", r"%|SOURCERPM?{%{ARCH}}:{source}|\n"]
    found = tools.run([*query, *(f"/mnt/rpms/{name}" for name in names)], binds=[Bind(directory, "/mnt/rpms")])
    wrong = [
        f"local_rpms: {local.directory / name}: is for {arch}"
        for name, arch in zip(names, found.stdout.split(), strict=True)
        if arch not in _ARCHITECTURES
    ]
    if wrong:
        raise WorkbookError(
            "\n".join(wrong), hint=f"accepted are RPMs for {', '.join(_ARCHITECTURES)}; move the others"
        )
