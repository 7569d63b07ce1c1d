"""Takes a machine of version 1 through the cases, one after the other, without a reboot in between."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from atomic_lib.base.progress import reached
from atomic_lib.compose.remote import REMOTE
from atomic_lib.compose.update.download_prediction import objects_between
from atomic_lib.guest.programs import program_text
from atomic_lib.guest.refusals.case_evidence import Attempt, CaseResult
from atomic_lib.guest.refusals.faulty_repositories import FaultyRepositories, SignedUpdate
from atomic_lib.guest.refusals.update_cases import CASES, MachineFault, UpdateCase, Way
from atomic_lib.guest.refusals.update_client import ClientState, UpdateClient
from atomic_lib.guest.update.repository_server import Site
from atomic_lib.guest.update.update_evidence import figures_of

_OPTIONS: Mapping[Way, tuple[str, ...]] = {
    "upgrade": (),
    "check": (),
    "download": ("--pull-only",),
    "deploy": ("--deploy-only",),
}
_REPEATED: Mapping[Way, Way] = {"upgrade": "download"}
"""The second attempt, of which the download is what counts."""
_NO_RESERVE = "core.min-free-space-percent"


@dataclass(frozen=True)
class CaseRunner:
    """A machine, the server that it asks for updates, and the repositories that the server can have."""

    client: UpdateClient
    site: Site
    update: SignedUpdate
    repositories: FaultyRepositories

    @cached_property
    def objects(self) -> frozenset[str]:
        """The paths of version 2's objects that version 1 has not, without its commit."""
        new = objects_between(self.update.served, self.update.before.commit, self.update.after.commit)
        return frozenset(one.path() for one in new if one.kind != "commit")

    def run_all(self, names: Iterable[str]) -> tuple[CaseResult, ...]:
        """Try these cases, each in all of its ways. Raises CommandError if the machine cannot be asked."""
        results: list[CaseResult] = []
        for name in names:
            for way in CASES[name].ways:
                results.append(self.run(name, way, results[-1].end if results else None))
        return tuple(results)

    def run(self, name: str, way: Way, before: ClientState | None = None) -> CaseResult:
        """Try a case one way, and forget version 2 again; ``before``: the state of the machine, if it is known."""
        case, client = CASES[name], self.client
        reached(f"{name}, by {way}")
        before = before or client.state()
        if way == "deploy":
            self._attempt(self._command("download"))
        first = self._with_fault(case, way)
        after = client.state()
        repeat = self._attempt(self._command(_REPEATED.get(way, way))) if case.expected == "resumed" else None
        self._forget()
        return CaseResult(
            case=name, way=way, first=first, repeat=repeat, objects=len(self.objects), before=before, after=after,
            end=client.state(),
        )  # fmt: skip

    def _with_fault(self, case: UpdateCase, way: Way) -> Attempt:
        """The attempt while what the case says is wrong."""
        wrong, right = self._machine_fault(case.machine)
        command = self._command(way)
        if case.machine == "killed":
            command = program_text(__file__, "programs/killed", COMMAND=command, SYSROOT=self.client.sysroot,
                                   COUNT=str(len(self.objects) // 4))  # fmt: skip
        self.client.run(wrong)
        self.site.repository = self.repositories.paths[case.repository]
        self.site.fault, self.site.spared = case.server, len(self.objects) // 2
        try:
            return self._attempt(command)
        finally:
            self.site.repository, self.site.fault = self.update.served, "none"
            self.client.run(right)

    def _attempt(self, command: str) -> Attempt:
        self.site.log.take()
        spoken = self.client.attempt(command)
        download = self.site.log.take()
        asked = {file.path for file in download.files}
        return Attempt(
            status=spoken.status, said=spoken.words, seconds=spoken.seconds, download=figures_of(download),
            objects=len(asked & self.objects),
        )  # fmt: skip

    def _command(self, way: Way) -> str:
        if way == "pull":
            return shlex.join(["ostree", "pull", "--timestamp-check", REMOTE, self.update.after.ref])
        upgrade = shlex.join(["ostree", "admin", "upgrade", f"--os={self.client.stateroot}", *_OPTIONS[way]])
        look = shlex.join(["ostree", "pull", "--commit-metadata-only", REMOTE, self.update.after.ref])
        return f"{look}\n{upgrade}" if way == "check" else upgrade

    def _machine_fault(self, fault: MachineFault) -> tuple[str, str]:
        """The lines of shell that make a fault of the machine, and those that undo it."""
        key = self.client.key
        fill = program_text(__file__, "programs/fill", VAR=self.client.var)
        empty = f"rm -r {self.client.var}/filler"
        kept = f"{key}.kept"
        faults: Mapping[MachineFault, tuple[str, str]] = {
            "expired key": (_replace(key, kept, self.repositories.expired), f"mv {kept} {key}"),
            "renewed key": (_replace(key, kept, self.repositories.renewed), f"mv {kept} {key}"),
            "full disk": (fill, empty),
            "full disk without reserve": (
                f"ostree config set {_NO_RESERVE} 0\n{fill}", f"{empty}\nostree config unset {_NO_RESERVE}"
            ),
        }  # fmt: skip
        return faults.get(fault, ("true", "true"))

    def _forget(self) -> None:
        """Have the machine forget version 2, deployed or only downloaded, and what it keeps of failed attempts."""
        before, sysroot = self.update.before, self.client.sysroot
        lines = [
            f"ostree admin status | grep -q {self.update.after.commit} && ostree admin undeploy 0",
            shlex.join(["ostree", "refs", "--force", f"--create={REMOTE}:{before.ref}", before.commit]),
            "ostree prune --refs-only",
            f"{self.client.as_writer} sh -c 'rm -rf {sysroot}/ostree/repo/tmp/staging-*'",
        ]
        self.client.run("\n".join(lines))


def _replace(file: str, kept: str, text: str) -> str:
    return f"mv {file} {kept}\nprintf %s {shlex.quote(text)} >{file}"
