"""A dnf 4 plugin that writes the solution to a file, and ends dnf before the download, unless it downloads.

RPM files that are in /mnt/known, each named by its sha256, are put where dnf would download them to: it compares a file
that is there with the checksum in the index, and fetches only what differs.
"""

import json
import os
import shutil
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
        for package in self.base.transaction.install_set if self.base.transaction else ():
            kind, checksum = package.returnIdSum()
            known, target = f"/mnt/known/{checksum}.rpm", package.localPkg()
            if kind == "sha256" and not package.repo._repo.isLocal() and os.path.isfile(known):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(known, target)

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
