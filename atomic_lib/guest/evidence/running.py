"""What runs in a guest after its boot: processes, services, memory, sockets, set-uid files."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from atomic_lib.base.model import Model
from atomic_lib.guest.evidence.systemd import Properties

CGROUPS_COMMAND = (
    r"cd /sys/fs/cgroup && find . \( -name memory.current -o -name cpu.stat -o -name cgroup.procs \)"
    r" -exec grep -sHE '^([0-9]+|usage_usec [0-9]+)$' {} +"
)
"""Memory, processor time and processes of every control group, one figure a line."""
LISTENERS_COMMAND = "ss -H -ltunp"
# /sysroot holds the same files again (an ostree image's repository).
SETUID_COMMAND = "find / -ignore_readdir_race -xdev -path /sysroot -prune -o -type f -perm /6000 -print"

_CGROUP_LINE = re.compile(r"\.(/.*)?/(memory\.current|cpu\.stat|cgroup\.procs):(?:usage_usec )?([0-9]{1,20})")
_USERS = re.compile(r'\("(.*?)",pid=')
_LOGIN_UNIT = re.compile(r"session-.*\.scope|user(-runtime-dir)?@.*\.service")


@dataclass(frozen=True)
class Usage:
    """What a unit's control group uses, with all groups below it; ``process_count`` leaves out the dead."""

    cpu_seconds: float | None = None
    memory_bytes: int | None = None
    process_count: int = 0


@dataclass(frozen=True)
class Cgroups:
    """Usage by unit."""

    units: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def process_count(self) -> int | None:
        """User processes, without those of the login that measures."""
        counts = [usage.process_count for unit, usage in self.units.items() if not of_login(unit)]
        return sum(counts) if counts else None


class Listener(Model):
    """A listening TCP or UDP socket; ``program``: the processes that hold it, empty if none is named."""

    protocol: str
    address: str
    program: str = ""


def of_login(unit: str) -> bool:
    """Whether a unit exists only because of a login, such as the one that measures."""
    return _LOGIN_UNIT.fullmatch(unit) is not None


def read_cgroups(text: str) -> Cgroups:
    """Read the output of CGROUPS_COMMAND; lines of another form are ignored."""
    units: dict[str, Usage] = {}
    for line in text.split("\n"):
        match = _CGROUP_LINE.fullmatch(line.rstrip("\r"))
        if match is None:
            continue
        path, name, number = (match[1] or "").split("/")[1:], match[2], int(match[3])
        unit = next((part for part in path if not part.endswith(".slice")), None)
        if unit is None:
            continue
        usage = units.get(unit, Usage())
        if name == "cgroup.procs":
            units[unit] = replace(usage, process_count=usage.process_count + 1)
        elif path[-1] == unit:
            is_memory = name == "memory.current"
            units[unit] = replace(usage, memory_bytes=number) if is_memory else replace(usage, cpu_seconds=number / 1e6)
    return Cgroups(units)


def read_listeners(text: str) -> tuple[Listener, ...]:
    """Read the output of LISTENERS_COMMAND, in a fixed order; lines of another form are ignored."""
    found = set()
    for line in text.split("\n"):
        words = line.split(maxsplit=6)
        if len(words) >= 6 and words[0] in ("tcp", "udp") and words[2].isdecimal() and words[3].isdecimal():
            programs = sorted(set(_USERS.findall(words[6]))) if len(words) > 6 else []
            found.add(Listener(protocol=words[0], address=words[4], program=", ".join(programs)))
    return tuple(sorted(found, key=lambda listener: (listener.protocol, listener.address, listener.program)))


def read_setuid_files(text: str) -> tuple[str, ...]:
    """The paths in the output of SETUID_COMMAND, in order."""
    return tuple(sorted(line for line in text.split("\n") if line.startswith("/")))


def running_services(units: Iterable[Properties]) -> int:
    """How many services have a process that runs, without those of the login that measures."""
    names = (unit.get("Id", "") for unit in units if unit.get("SubState") == "running")
    return sum(name.endswith(".service") and not of_login(name) for name in names)
