"""A dnf 4 plugin that writes the solution to a file, and ends dnf before the download, unless it downloads."""

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
        self.write(set(self.base.transaction.install_set) if self.base.transaction else set())
        if not self.base.conf.downloadonly:
            sys.exit(0)

    def write(self, chosen):
        packages = [
            [
                p.name,
                f"{p.name}-{p.epoch}:{p.version}-{p.release}.{p.arch}",
                p.downloadsize,
                p.installsize,
                p.reponame,
            ]
            for p in chosen
        ]
        names = {p.name for p in chosen}
        unmet = [
            word
            for word in self.cli.command.opts.pkg_specs
            if word not in names and not chosen & set(dnf.subject.Subject(word).get_best_query(self.base.sack))
        ]
        with open("/mnt/solution/conditions.json") as handle:
            met = [name for name in json.load(handle) if chosen & set(self.base.sack.query().filter(provides=name))]
        with open("/mnt/solution/solution.json", "w") as handle:
            json.dump({"packages": sorted(packages), "unmet": sorted(unmet), "met": met}, handle)
