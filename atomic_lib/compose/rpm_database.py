"""Reads the RPM database of a tree, with rpm's Python module in the tools tree (``rpm_programs``).

No output of ``rpm --queryformat`` could be read back: names of files contain any characters.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomic_lib.base.command import CommandError
from atomic_lib.compose.chroot import RPMDB, Installroot
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.solve.lock import LockedPackage
from atomic_lib.tools.sandbox import Bind, Tools

_PROGRAMS = Path(__file__).parent / "rpm_programs"


@dataclass(frozen=True)
class DatabaseFile:
    """A regular file as a package has it. ``mtime``: seconds since 1970; ``sha256``: in hex, or empty if not known."""

    package: str
    sha256: str
    mtime: int
    size_bytes: int


def run_program(tree: Installroot, name: str, *more: str) -> str:
    """Run a program of ``rpm_programs`` on the tree; returns its output, which is JSON."""
    words = ["python3", "-B", f"/mnt/programs/{name}.py", INSTALLROOT, *more]
    return tree.run(words, binds=[Bind(_PROGRAMS, "/mnt/programs")]).stdout


def file_owners(tree: Installroot, database: str = RPMDB) -> dict[str, list[str]]:
    """The names of the packages that have each path, as they name it; undecodable bytes are surrogates (PEP 383).

    ``database`` is the directory of the tree's database.
    """
    owners: dict[str, list[str]] = json.loads(run_program(tree, "list_files", database))
    return owners


def installed_packages(tree: Installroot, database: str) -> tuple[LockedPackage, ...]:
    """The packages in the database, sorted, as those of a commit: without sha256 and size."""
    rows: list[dict[str, Any]] = json.loads(run_program(tree, "list_packages", database))
    return tuple(sorted({LockedPackage(**row, sha256="", size_bytes=0, repo="") for row in rows}))


def packaged_files(tools: Tools, root: Path, database: str = RPMDB) -> dict[str, tuple[DatabaseFile, ...]]:
    """The regular files that packages installed in a root, by path, as each package has it; the root is only read."""
    words = ["python3", "-B", "/mnt/programs/list_packaged.py", INSTALLROOT, database]
    binds = [Bind(_PROGRAMS, "/mnt/programs"), Bind(root, INSTALLROOT)]
    rows: dict[str, list[tuple[str, str, int, int]]] = json.loads(tools.run(words, binds=binds, rights="root").stdout)
    return {path: tuple(DatabaseFile(*row) for row in of_path) for path, of_path in rows.items()}


def verify_files(tree: Installroot) -> tuple[str, ...]:
    """What ``rpm --verify`` says of all packages in the tree: a line for each file that differs from its package."""
    try:
        found = tree.run(["rpm", f"--root={INSTALLROOT}", "--verify", "--all"]).stdout
    except CommandError as error:  # rpm fails if a file differs
        found = error.stdout
        if not found:
            raise
    return tuple(line for line in found.split("\n") if line)
