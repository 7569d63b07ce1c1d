"""What dnf would install: its solution as data, with nothing downloaded and nothing installed.

A plugin of dnf's own kind (dnf 4, ``dnf.Plugin.resolved``) writes what the solver found and
ends dnf before the download, so the words, the configuration and the solver are the real ones.
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
    """A package of dnf's solution; both sizes are what its repository says of it."""

    name: str
    nevra: str
    download_bytes: int
    installed_bytes: int


@dataclass(frozen=True)
class Solution:
    """The packages by name, and which of the words to install none of them fulfils."""

    packages: Mapping[str, Solved]
    unmet: frozenset[str]


def solve(dnf: Dnf, words: Sequence[str]) -> Solution:
    """dnf's solution for ``words``, as ``install_words`` makes them; raises CommandError where it has none."""
    if words[-1] == "install":  # without any package, which dnf would refuse
        return Solution({}, frozenset())
    answer = dnf.directory / "solution"
    answer.mkdir(exist_ok=True)
    written = answer / "solution.json"
    written.unlink(missing_ok=True)
    binds = [Bind(_PLUGIN, "/mnt/plugin"), Bind(answer, "/mnt/solution", writable=True)]
    dnf.run(["--setopt=plugins=1", "--setopt=pluginpath=/mnt/plugin", *words], binds=binds)
    data = json.loads(written.read_text())
    return Solution({row[0]: Solved(*row) for row in data["packages"]}, frozenset(data["unmet"]))
