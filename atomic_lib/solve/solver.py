"""dnf's solution as data: without downloading anything, or of what dnf downloads.

A plugin for dnf 4 (``dnf_plugin``, ``dnf.Plugin.resolved``) writes the solution to a file. So
arguments, configuration and solver are the same as in a compose, and the repository of a package
is the one that dnf takes it from, also if several have a package of this NEVRA.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.tools.sandbox import Bind

PLUGIN = Path(__file__).parent / "dnf_plugin"
"""The directory of the plugin, which a running dnf uses, too."""
SIGNATURES = Bind(Path(__file__).parent / "dnf_signatures", "/mnt/signatures")
"""The plugin for a dnf that checks signatures, where dnf sees it."""


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
    """The packages by name, the words to install (``unmet``) that match none of them, and the conditions they meet."""

    packages: Mapping[str, Solved]
    unmet: frozenset[str]
    met: frozenset[str] = frozenset()


def solve(dnf: Dnf, words: Sequence[str], *, conditions: Sequence[str] = ()) -> Solution:
    """dnf's solution for ``words``, as from ``install_words``; raises CommandError if there is none.

    ``conditions``: names; ``met`` has those that a package of the solution has or provides.
    """
    if words[-1] == "install":  # dnf refuses "install" without a package
        return Solution({}, frozenset())
    answer = _run(dnf, words, conditions=conditions)
    packages = {row[0]: Solved(*row) for row in answer["packages"]}
    return Solution(packages, frozenset(answer["unmet"]), frozenset(answer["met"]))


def download(dnf: Dnf, words: Sequence[str], rpms: Path, known: Path) -> dict[str, str]:
    """Download dnf's solution for ``words`` to the directory ``rpms``; returns the id of each NEVRA's repository.

    ``known``: a directory of RPM files by sha256, which need not be fetched from a mirror again.

    Raises CommandError if there is no solution, or a file cannot be had.
    """
    options = ["--downloadonly", "--destdir=/mnt/rpms"]
    binds = [SIGNATURES, Bind(rpms, "/mnt/rpms", writable=True)]
    binds += [Bind(known, "/mnt/known")] if known.is_dir() else []
    answer = _run(dnf, [*options, *words], binds=binds, plugins=[SIGNATURES.target])
    return {package.nevra: package.repo for package in (Solved(*row) for row in answer["packages"])}


def _run(
    dnf: Dnf,
    words: Sequence[str],
    *,
    binds: Sequence[Bind] = (),
    conditions: Sequence[str] = (),
    plugins: Sequence[str] = (),
) -> dict[str, Any]:
    """What the plugin writes of the solution; ``plugins``: the directories of more plugins, as dnf sees them."""
    answer = dnf.directory / "solution"
    answer.mkdir(exist_ok=True)
    written = answer / "solution.json"
    written.unlink(missing_ok=True)
    (answer / "conditions.json").write_text(json.dumps(list(conditions)))
    own = [Bind(PLUGIN, "/mnt/plugin"), Bind(answer, "/mnt/solution", writable=True)]
    loaded = ["--setopt=plugins=1", f"--setopt=pluginpath={','.join(['/mnt/plugin', *plugins])}"]
    dnf.run([*loaded, *words], binds=[*own, *binds])
    data: dict[str, Any] = json.loads(written.read_text())
    return data
