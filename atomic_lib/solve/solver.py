"""What dnf would install: its solution as data, with nothing downloaded and nothing installed.

A plugin of dnf's own kind (dnf 4, ``dnf.Plugin.resolved``) writes what the solver found and
ends dnf before the download, so the words, the configuration and the solver are the real ones.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atomic_lib.solve.resolve import Dnf
from atomic_lib.tools.tools_tree import Bind

# Called when dnf has solved: writes the solution, and ends dnf before it downloads anything.
_PLUGIN = """\
import json
import sys

import dnf
import dnf.subject


class Solution(dnf.Plugin):
    name = "solution"

    def __init__(self, base, cli):
        super().__init__(base, cli)
        self.base, self.cli = base, cli

    def resolved(self):
        chosen = set(self.base.transaction.install_set) if self.base.transaction else set()
        packages = [[p.name, f"{p.name}-{p.epoch}:{p.version}-{p.release}.{p.arch}", p.downloadsize, p.installsize]
                    for p in chosen]
        unmet = [word for word in self.cli.command.opts.pkg_specs
                 if not chosen & set(dnf.subject.Subject(word).get_best_query(self.base.sack))]
        with open("/mnt/solution/solution.json", "w") as handle:
            json.dump({"packages": sorted(packages), "unmet": sorted(unmet)}, handle)
        sys.exit(0)
"""


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
    plugin, answer = dnf.directory / "plugin", dnf.directory / "solution"
    for directory in (plugin, answer):
        directory.mkdir(exist_ok=True)
    (plugin / "solution.py").write_text(_PLUGIN)
    written = answer / "solution.json"
    written.unlink(missing_ok=True)
    binds = [Bind(plugin, "/mnt/plugin"), Bind(answer, "/mnt/solution", writable=True)]
    dnf.run(["--setopt=plugins=1", "--setopt=pluginpath=/mnt/plugin", *words], binds=binds)
    data = json.loads(written.read_text())
    return Solution({row[0]: Solved(*row) for row in data["packages"]}, frozenset(data["unmet"]))
