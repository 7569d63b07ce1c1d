"""dnf's solution as data, without downloading or installing anything.

A plugin for dnf 4 (``dnf_plugin``, ``dnf.Plugin.resolved``) writes the solution to a file and
ends dnf before the download. So arguments, configuration and solver are the same as in a compose.
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
    """A package of dnf's solution, with the sizes in its repository's index."""

    name: str
    nevra: str
    download_bytes: int
    installed_bytes: int


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
    answer = dnf.directory / "solution"
    answer.mkdir(exist_ok=True)
    written = answer / "solution.json"
    written.unlink(missing_ok=True)
    (answer / "conditions.json").write_text(json.dumps(list(conditions)))
    binds = [Bind(_PLUGIN, "/mnt/plugin"), Bind(answer, "/mnt/solution", writable=True)]
    dnf.run(["--setopt=plugins=1", "--setopt=pluginpath=/mnt/plugin", *words], binds=binds)
    data = json.loads(written.read_text())
    packages = {row[0]: Solved(*row) for row in data["packages"]}
    return Solution(packages, frozenset(data["unmet"]), frozenset(data.get("met", ())))
