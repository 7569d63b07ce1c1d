"""dnf's solution as data: without downloading anything, or of what dnf downloads.

A plugin for dnf 4 (``dnf_plugin``, ``dnf.Plugin.resolved``) writes the solution to a file. So
arguments, configuration and solver are the same as in a compose, and the repository of a package
is the one that dnf takes it from, also if several have a package of this NEVRA.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.tools.sandbox import Bind

_PLUGIN = Path(__file__).parent / "dnf_plugin"


@dataclass(frozen=True, order=True)
class Solved:
    """A package of dnf's solution, with the sizes in the index of its repository, and the id of that repository."""

    name: str
    nevra: str
    download_bytes: int
    installed_bytes: int
    repo: str = ""


@dataclass(frozen=True)
class Solution:
    """The packages by name, and the words to install (``unmet``) that match none of them."""

    packages: Mapping[str, Solved]
    unmet: frozenset[str]


def solve(dnf: Dnf, words: Sequence[str]) -> Solution:
    """dnf's solution for ``words``, as from ``install_words``; raises CommandError if there is none."""
    if words[-1] == "install":  # dnf refuses "install" without a package
        return Solution({}, frozenset())
    packages, unmet = _run(dnf, words)
    return Solution({package.name: package for package in packages}, frozenset(unmet))


def download(dnf: Dnf, words: Sequence[str], rpms: Path) -> dict[str, str]:
    """Download dnf's solution for ``words`` to the directory ``rpms``; returns the id of each NEVRA's repository.

    Raises CommandError if there is no solution, or a file cannot be had.
    """
    packages, _ = _run(
        dnf, ["--downloadonly", "--destdir=/mnt/rpms", *words], binds=[Bind(rpms, "/mnt/rpms", writable=True)]
    )
    return {package.nevra: package.repo for package in packages}


def _run(dnf: Dnf, words: Sequence[str], *, binds: Sequence[Bind] = ()) -> tuple[list[Solved], list[str]]:
    answer = dnf.directory / "solution"
    answer.mkdir(exist_ok=True)
    written = answer / "solution.json"
    written.unlink(missing_ok=True)
    own = [Bind(_PLUGIN, "/mnt/plugin"), Bind(answer, "/mnt/solution", writable=True)]
    dnf.run(["--setopt=plugins=1", "--setopt=pluginpath=/mnt/plugin", *words], binds=[*own, *binds])
    data = json.loads(written.read_text())
    return [Solved(*row) for row in data["packages"]], data["unmet"]
