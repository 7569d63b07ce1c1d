"""A dnf 4 plugin that checks the signatures of all packages of a repository with one rpmkeys; dnf starts one for each.

Once dnf has found one package of a repository to be good, rpmkeys is asked for all of them, with dnf's settings and the
keys that dnf has imported by then, and its answer for each is read by dnf's own code. Unless all are good, the answer
counts for nothing, and dnf checks each of them as ever. So no package is accepted that dnf would refuse: it would check
it later, with the same keys and those imported meanwhile.
"""

import os
import subprocess

import dnf
import dnf.rpm.miscutils


class Signatures(dnf.Plugin):
    name = "signatures"

    def __init__(self, base, cli):
        super().__init__(base, cli)
        self.base, self.good, self.asked = base, set(), set()
        self.check_one = dnf.rpm.miscutils.checkSig
        dnf.rpm.miscutils.checkSig = self.check

    def check(self, ts, path):
        """In place of dnf's function: 0 if the file has a good signature."""
        if path in self.good:
            return 0
        result = self.check_one(ts, path)
        repos = {p.localPkg(): p.repoid for p in self.base.transaction.install_set if not p._from_cmdline}
        if result == 0 and path in repos and repos[path] not in self.asked:
            self.asked.add(repos[path])
            self.good |= all_good([other for other in repos if repos[other] == repos[path]], ts.ts.rootDir)
        return result


def all_good(paths, root):
    """These files, if rpmkeys finds all of them to be signed with the keys of the root; none if it does not."""
    line = ["rpmkeys", "--checksig", "--root", root, "--verbose", "--define=_pkgverify_level signature",
            "--define=_pkgverify_flags 0x0", *paths]  # fmt: skip
    if not all(path.startswith("/") and path.isprintable() for path in paths):
        return set()  # the answer has a line for each file, so a line feed in a name could be taken for one
    done = subprocess.run(line, env={**os.environ, "LC_ALL": "C"}, cwd="/", stdout=subprocess.PIPE)
    *lines, end = done.stdout.split(b"\n")
    read = dnf.rpm.miscutils._process_rpm_output
    told = parts(lines, [os.fsencode(f"{path}:") for path in paths])
    good = done.returncode == 0 and all(read([b"-:", *part, end]) == 0 for part in told)
    return set(paths) if good else set()


def parts(lines, heads):
    """The lines below each head."""
    found, part = {head: [] for head in heads}, []
    for line in lines:
        if line in found:
            part = found[line]
        else:
            part.append(line)
    return list(found.values())
