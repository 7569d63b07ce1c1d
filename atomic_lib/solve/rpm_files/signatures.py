"""Signatures of RPM files, all checked by one rpmkeys: dnf starts one for each package, which takes ten times as long.

Source: rpmkeys(8), and dnf's ``dnf/rpm/miscutils.py``, which asks for the same level of verification.
"""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.tools.sandbox import Bind, Tools

_GOOD = re.compile(r"/mnt/rpms/(?P<file>.+): digests signatures OK")
_RPMKEYS = ("rpmkeys", "--dbpath=/mnt/database", "--define=_pkgverify_level all", "--define=_pkgverify_flags 0x0")


def require_signed(tools: Tools, rpms: Path, keys: Iterable[Path], what: str) -> None:
    """Require that each RPM file in the directory ``rpms`` is whole, and signed with one of the public ``keys``.

    Raises WorkbookError that begins with ``what`` and names each file that is not.
    """
    names = sorted(file.name for file in rpms.glob("*.rpm"))
    with tempfile.TemporaryDirectory() as directory:
        database, known = Path(directory, "database"), Path(directory, "keys")
        database.mkdir()
        known.write_bytes(b"".join(key.read_bytes().rstrip() + b"\n" for key in keys))
        if known.stat().st_size:
            binds = [Bind(database, "/mnt/database", writable=True), Bind(known, "/mnt/keys")]
            tools.run([*_RPMKEYS, "--import", "/mnt/keys"], binds=binds, rights="root")
        said, all_good = _check(tools, rpms, names, database) if names else ("", True)
    good = {found["file"] for found in map(_GOOD.fullmatch, said.splitlines()) if found}
    bad = [name for name in names if name not in good] or ([] if all_good else names)
    if bad:
        lines = [f"{what}: Package {name} is not signed" for name in bad]
        hint = "sign it with the key of its repository, or leave the package out"
        raise WorkbookError("\n".join(lines), log=said, hint=hint)


def _check(tools: Tools, rpms: Path, names: Iterable[str], database: Path) -> tuple[str, bool]:
    """What rpmkeys says of the files, a line for each, and whether it ended well."""
    binds = [Bind(database, "/mnt/database", writable=True), Bind(rpms, "/mnt/rpms")]
    words = [*_RPMKEYS, "--checksig", *(f"/mnt/rpms/{name}" for name in names)]
    try:
        return tools.run(words, binds=binds, rights="root").stdout, True
    except CommandError as error:  # a file is not signed
        if not error.stdout:
            raise
        return error.stdout, False
