"""One disk that goes through several boots, and what each of them showed."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from atomic_lib.base.command import last_lines
from atomic_lib.base.model import DataSource
from atomic_lib.guest.evidence.denials import DENIALS_COMMAND, MODE_COMMAND, Denials, read_denials
from atomic_lib.guest.evidence.systemd import Properties, read_properties, timestamp_seconds
from atomic_lib.guest.new_instance import wait_for_key
from atomic_lib.guest.vm.data_source import Provisioning, provide_instance
from atomic_lib.guest.vm.metadata_service import Instance, MetadataService
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, Disk, Guest, Machine, power_on, read_console
from atomic_lib.guest.vm.ssh import Deadline, Key, Shell, log_in, wait_for_banner, wait_for_silence
from atomic_lib.tools.sandbox import Tools
from tests.monitor import MONITOR_ARGUMENTS, set_link

RUNS = "/var/lib/runs"
"""Where user-data scripts leave a line each time they run."""
STATE = "/var/lib/min-cloud-agent"
AGENT, SCRIPT = "min-cloud-agent.service", "min-cloud-agent-user-data.service"
UNITS = ("sshd.service", "network-online.target", "multi-user.target", AGENT, SCRIPT)

_BOOT_SECONDS = 600
_POLL_SECONDS = 0.2
_PROPERTIES = (
    "Id,ActiveState,Result,ExecMainStatus,ExecMainStartTimestampMonotonic,ActiveEnterTimestampMonotonic"
)  # fmt: skip
_FILES = f"/root/.ssh /root/.ssh/authorized_keys /etc/hostname {STATE}"
_QUESTIONS = {
    "boot": "cat /proc/sys/kernel/random/boot_id",
    "hostname": "cat /proc/sys/kernel/hostname",
    "mode": MODE_COMMAND,
    "runs": f"[ ! -e {RUNS} ] || cat {RUNS}",
    "state": f"cd {STATE} && find . -type f -printf '%P %m %u:%g\\n'",
    "keys": "cat /root/.ssh/authorized_keys",
    "files": f"stat -c '%n %a %U:%G %C' {_FILES}",
    "host_key": "cat /etc/ssh/ssh_host_ed25519_key.pub",
    "token": "cat /run/min-cloud-agent/token",
    "units": f"systemctl show -p {_PROPERTIES} {' '.join(UNITS)}",
    "failed": "systemctl list-units --failed --plain --no-legend --no-pager",
    "status": f"systemctl status --no-pager --full {SCRIPT}",
    "journal": "journalctl -b --no-pager -o short-monotonic",
    "denials": DENIALS_COMMAND,
}


@dataclass(frozen=True)
class Seen:
    """What a boot showed from inside, and what it had asked the metadata service by then."""

    answers: dict[str, str]
    requests: tuple[str, ...]

    @property
    def runs(self) -> list[str]:
        """The lines that user-data scripts left so far, in this boot or before."""
        return self.answers["runs"].splitlines()

    @property
    def state(self) -> set[str]:
        """The files of the agent's state, with mode and owner."""
        return set(self.answers["state"].splitlines())

    @property
    def units(self) -> dict[str, Properties]:
        """The properties of each of ``UNITS``."""
        return {unit["Id"]: unit for unit in read_properties(self.answers["units"])}

    @property
    def files(self) -> dict[str, str]:
        """Mode, owner and SELinux type of the files that the agent writes."""
        lines = [line.split(" ") for line in self.answers["files"].splitlines()]
        return {name: f"{mode} {owner} {context.split(':')[2]}" for name, mode, owner, context in lines}

    @property
    def failed(self) -> list[str]:
        """The units that failed."""
        return [line.split()[0] for line in self.answers["failed"].splitlines()]

    @property
    def denials(self) -> Denials:
        """What SELinux denied."""
        denials = read_denials(self.answers["denials"])
        assert denials is not None
        return denials

    def unit_seconds(self, unit: str, name: str = "ActiveEnterTimestampMonotonic") -> float:
        """When a unit became active, or what else ``name`` says, on the guest's clock."""
        seconds = timestamp_seconds(self.units[unit], name)
        assert seconds is not None, (unit, name)
        return seconds

    def message_seconds(self, text: str) -> float:
        """When the first journal message with ``text`` was written, on the guest's clock."""
        (first, *_) = [line for line in self.answers["journal"].splitlines() if text in line]
        return float(re.match(r"\[ *([0-9.]+)\]", first)[1])  # type: ignore[index]


@dataclass(frozen=True)
class Powered:
    """A guest that runs, and where it finds its data."""

    tools: Tools
    guest: Guest
    provided: Provisioning
    check: Deadline

    @property
    def service(self) -> MetadataService:
        """The metadata service, of a guest that has one."""
        assert self.provided.service
        return self.provided.service

    @contextmanager
    def log_in(self, key: Key, *, new: bool = False) -> Iterator[Shell]:
        """A login by ``key``; ``new``: the agent has to install it first, and fetches user-data after that."""
        wait_for_banner(self.guest, self.check)
        if new:
            wait_for_key(self.service, self.check)
        with log_in(self.tools, key, self.guest, self.check) as shell:
            yield shell

    def wait_for_prompt(self) -> None:
        """Wait until the console shows the login prompt."""
        while " login:" not in read_console(self.guest.console):
            self.check()
            time.sleep(_POLL_SECONDS)

    def wait_for_request(self, ending: str) -> None:
        """Wait until the guest asked the metadata service for something, and was answered."""
        while not self.service.answered(ending, 200):
            self.check()
            time.sleep(_POLL_SECONDS / 10)

    def plug_in(self) -> None:
        """Put the network cable back."""
        set_link(self.guest.directory, up=True)

    def reboot(self, shell: Shell) -> None:
        """Have the guest reboot itself; it is on its way down on return."""
        shell.run("systemctl reboot", timeout_seconds=60)
        wait_for_silence(self.guest, self.check)

    def look(self, shell: Shell) -> Seen:
        """Ask the guest everything."""
        line = "; printf '\\0'; ".join(f"({question}) 2>&1" for question in _QUESTIONS.values())
        texts = shell.run(f"{line}; true", timeout_seconds=120).stdout.split("\0")
        requests = tuple(request.path.removeprefix("/latest/") for request in tuple(self.service.requests))
        return Seen(dict(zip(_QUESTIONS, (text.strip("\n") for text in texts), strict=True)), requests)


@dataclass
class Story:
    """A disk with a past; ``boots`` counts how often its guest was switched on."""

    tools: Tools
    disk: Disk
    machine: Machine
    directory: Path
    boots: int = field(default=0)

    @contextmanager
    def power_on(self, instance: Instance, *, cable: bool = True, source: DataSource = "ec2") -> Iterator[Powered]:
        """Switch on what the last boot left, without a carrier where there is no ``cable``; then cut the power."""
        self.boots += 1
        with provide_instance(source, instance, self.tools, directory=self.directory, seen_as=BOOT_MOUNT) as provided:
            provided = replace(provided, arguments=(*MONITOR_ARGUMENTS, *provided.arguments))
            with power_on(self.tools, self.disk, self.machine, provided, self.directory) as guest:
                if not cable:
                    set_link(self.directory, up=False)
                try:
                    yield Powered(self.tools, guest, provided, _patience(guest))
                finally:
                    guest.console.rename(self.directory / f"console-{self.boots}.log")


def wait_until(shell: Shell, condition: str) -> None:
    """Wait until a command of the guest succeeds."""
    shell.run(f"until {condition}; do sleep 0.5; done", timeout_seconds=_BOOT_SECONDS)


def wait_for_the_end_of_the_boot(shell: Shell) -> None:
    """Wait until systemd has nothing left to do."""
    shell.run("systemctl is-system-running --wait || :", timeout_seconds=_BOOT_SECONDS)


def _patience(guest: Guest) -> Callable[[], None]:
    """A check that fails, with the end of the console, when a boot takes too long."""
    ends = time.monotonic() + _BOOT_SECONDS

    def check() -> None:
        guest.require_alive()
        assert time.monotonic() < ends, last_lines(read_console(guest.console), 40)

    return check
