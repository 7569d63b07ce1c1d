"""What may be wrong with a version 2, and what is expected of a guest that is updated to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from atomic_lib.base.model import SelinuxMode
from atomic_lib.guest.update.guest_return import GuestReturn

_CHANGE = "update-config"
"""The part in which version 2 differs where the fault is none of its files."""


@dataclass(frozen=True)
class UpdateFault:
    """What is wrong with version 2: ``part``, a treefile more, or kernel arguments that it is deployed with.

    ``returns``: whether version 1 is expected to come back. ``cpus``: of the guest; None: those of the variant.
    """

    title: str
    part: str = _CHANGE
    kernel_arguments: tuple[str, ...] = ()
    returns: bool = True
    cpus: int | None = None


FAULTS: Mapping[str, UpdateFault] = {
    "unit": UpdateFault("a broken unit: sshd.service starts a program that is not there", "fault-unit"),
    "kernel-argument": UpdateFault(
        "a bad kernel argument: root= names a file system that is not there",
        kernel_arguments=("root=UUID=00000000-0000-0000-0000-000000000000",),
    ),
    "kernel-panic": UpdateFault("a kernel panic, before any service is up", "fault-kernel-panic"),
    "docker": UpdateFault("Docker is dead: its unit is active, and its daemon never answers", "fault-docker"),
    "nothing": UpdateFault("nothing: a good version 2, on a machine with one processor", returns=False, cpus=1),
}
"""What version 2 may have, by name."""


@dataclass(frozen=True)
class FaultOutcome:
    """What became of a guest with a fault; ``before`` and ``after``: the commits of both versions.

    ``selinux``: the mode that both have.
    """

    fault: UpdateFault
    before: str
    after: str
    selinux: SelinuxMode
    guest: GuestReturn

    @property
    def version(self) -> str:
        """The version that runs in the end, in words."""
        names = {self.before: "version 1", self.after: "version 2"}
        return names.get(self.guest.state.commit or "", "unknown")

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as expected."""
        return tuple(self._problems())

    def _problems(self) -> Iterator[str]:
        guest, state = self.guest, self.guest.state
        expected = "version 1" if self.fault.returns else "version 2"
        entries = (*[0] * guest.trial_boots, 1) if self.fault.returns else (0,)
        facts = {
            f"the guest runs {self.version}, not {expected}": self.version == expected,
            f"GRUB booted the entries {guest.entries}, not {entries}": guest.entries == entries,
            f"it took {guest.seconds:.0f} s, more than {guest.limit_seconds:.0f} s": guest.seconds
            <= guest.limit_seconds,
            f"SELinux is {state.selinux}, not {self.selinux}": state.selinux == self.selinux,
            "/usr is not read-only": state.usr_read_only,
            "/var was not kept": state.var_kept,
            "the container does not run": state.container_running is not False,
            "the volume was not kept": state.volume_kept is not False,
        }
        yield from (problem for problem, holds in facts.items() if not holds)
