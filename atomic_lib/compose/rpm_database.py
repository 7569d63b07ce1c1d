"""Reads the RPM database of a tree, with rpm's Python module in the tools tree (``rpm_programs``).

No output of ``rpm --queryformat`` could be read back: names of files contain any characters.
"""

import json
from pathlib import Path
from typing import Any

from atomic_lib.compose.chroot import RPMDB, Installroot
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.solve.lock import LockedPackage
from atomic_lib.tools.sandbox import Bind

_PROGRAMS = Path(__file__).parent / "rpm_programs"


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
