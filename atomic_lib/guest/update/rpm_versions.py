"""Two versions of a traditional system, which dnf takes from one to the other: ``GuestVersions`` for packages.

Source of the commands: dnf(8) and dnf.conf(5).
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from atomic_lib.compose.update.rpm_prediction import new_packages
from atomic_lib.compose.update.rpm_repository import REPOSITORY
from atomic_lib.guest.update.update_commands import UpdateCommands
from atomic_lib.guest.update.update_evidence import GuestState, packages_identity
from atomic_lib.guest.vm.qemu import UPDATES_URL
from atomic_lib.solve.lock import Lock

_KEYS = "/etc/pki/rpm-gpg/RPM-GPG-KEY-updates"


@dataclass(frozen=True)
class RpmVersions:
    """Two locks. ``keys``: the public keys of the index and of the packages; ``weak_dependencies``: as the image's."""

    name: str
    before: Lock
    after: Lock
    keys: tuple[str, ...]
    weak_dependencies: bool

    @property
    def identities(self) -> tuple[str, str]:
        """The sha256 of the NEVRAs of each."""
        first, second = (packages_identity(one.nevra for one in lock.packages) for lock in (self.before, self.after))
        return first, second

    @property
    def commands(self) -> UpdateCommands:
        """dnf's: one transaction brings all that is new, so that one is undone."""
        dnf = f"dnf -y --repo={REPOSITORY} --setopt=install_weak_deps={int(self.weak_dependencies)}"
        change = shlex.join(self._change())
        return UpdateCommands(
            source=source_commands(self.keys),
            steps=(
                # status 100: there are updates
                ("check", f"{dnf} check-update || [ $? -eq 100 ]"),
                ("download", f"{dnf} {change} --downloadonly"),
                ("deploy", f"{dnf} --cacheonly {change}"),
            ),
            rollback=f"{dnf} history undo last",
        )

    def identity(self, state: GuestState) -> str | None:
        """The packages that are installed."""
        return state.packages

    def _change(self) -> list[str]:
        """What dnf is told to do: ``upgrade``, or the exact packages if some are added."""
        names = {package.name for package in self.before.packages}
        new = new_packages(self.before, self.after)
        if all(package.name in names for package in new):
            return ["upgrade"]
        return ["install", *(package.nevra for package in new)]


def source_commands(keys: Iterable[str]) -> str:
    """The lines of shell that name the repository, whose index and packages must be signed with ``keys``."""
    files = {f"{_KEYS}-{number}": key for number, key in enumerate(keys)}
    repository = [f"[{REPOSITORY}]", "name=updates", f"baseurl={UPDATES_URL}/", "enabled=1", "gpgcheck=1",
                  "repo_gpgcheck=1", f"gpgkey={' '.join(f'file://{path}' for path in files)}", ""]  # fmt: skip
    files[f"/etc/yum.repos.d/{REPOSITORY}.repo"] = "\n".join(repository)
    lines = [f"printf %s {shlex.quote(text)} >{path}" for path, text in files.items()]
    return "\n".join(["mkdir -p /etc/pki/rpm-gpg /etc/yum.repos.d", *lines])
