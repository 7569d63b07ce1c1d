"""The machine that runs the guests, and how busy other work keeps it."""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.model import Count, Load, Model
from atomic_lib.tools.machine import cpu_model
from atomic_lib.tools.sandbox import Tools

_PROC = Path("/proc")
# /proc/stat, proc_stat(5): user nice system idle iowait irq softirq steal; guests are in "user" already.
_BUSY_FIELDS, _IDLE_FIELDS = (0, 1, 2, 5, 6, 7), (3, 4)


class BootHost(Model):
    """The machine that QEMU ran on. ``load_1m`` is its load average just before the boot.

    ``other_busy_cpus``: how many of its processors, on average over the boot, were busy with
    anything but this boot, those included that a hypervisor gave to others.
    """

    cpu_model: str | None = None
    cpus: Count | None = None
    load_1m: Load | None = None
    load_1m_after: Load | None = None
    other_busy_cpus: Load | None = None
    qemu_version: str | None = None


@dataclass(frozen=True)
class CpuReading:
    """Processor time so far, in seconds: of the whole machine, and of this process with all below it."""

    at_seconds: float
    busy_seconds: float
    own_seconds: float


class Patience:
    """A time limit that a busy host stretches: with twice as many programs as processors, each second counts half.

    ``limit_seconds``: the limit on a host that has a processor for each program that wants one.
    """

    def __init__(self, limit_seconds: float) -> None:
        self._left_seconds, self._seen = limit_seconds, time.monotonic()

    def is_over(self) -> bool:
        """Whether the limit is reached; to be asked every few seconds, because the load changes."""
        now = time.monotonic()
        self._left_seconds, self._seen = self._left_seconds - (now - self._seen) / slowness(), now
        return self._left_seconds < 0


def slowness() -> float:
    """How much longer work takes on this host now than with a processor for each program that wants one: at least 1.

    For limits that are set once and cannot be asked again, such as that of a command.
    """
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def describe_host(tools: Tools) -> BootHost:
    """The machine that runs the guests, and how busy it is."""
    version = tools.run(["qemu-system-x86_64", "--version"]).stdout
    found = re.search(r"version (\S+)", version)
    return BootHost(
        cpu_model=cpu_model(),
        cpus=os.cpu_count() or 1,
        load_1m=os.getloadavg()[0],
        qemu_version=found[1] if found else version.strip(),
    )


def with_load_after(host: BootHost, before: CpuReading) -> BootHost:
    """``host`` with its load now, and with how busy others kept it since ``before``."""
    load = {"load_1m_after": os.getloadavg()[0], "other_busy_cpus": other_busy_cpus(before, read_cpus())}
    return BootHost.model_validate({**dict(host), **load})


def read_cpus(proc: Path = _PROC) -> CpuReading:
    """How much processor time the machine and this process's own tree have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    return CpuReading(time.monotonic(), _seconds_of(_BUSY_FIELDS, proc), _tree_ticks(proc, os.getpid()) / ticks)


def idle_cpu_seconds(proc: Path = _PROC) -> float:
    """How long this machine's processors had nothing to do so far, or waited for a disk: the sum over all of them."""
    return _seconds_of(_IDLE_FIELDS, proc)


def _seconds_of(fields: Sequence[int], proc: Path) -> float:
    """The sum of some fields of all processors' line in /proc/stat; an old kernel has not all of them."""
    words = (proc / "stat").read_text().partition("\n")[0].split()[1:]
    return sum(int(words[field]) for field in fields if field < len(words)) / os.sysconf("SC_CLK_TCK")


def other_busy_cpus(before: CpuReading, after: CpuReading) -> float | None:
    """How many processors were busy with other work between two readings, on average; None if it was no time."""
    seconds = after.at_seconds - before.at_seconds
    if seconds <= 0:
        return None
    own = after.own_seconds - before.own_seconds
    return max(0.0, after.busy_seconds - before.busy_seconds - own) / seconds


def _tree_ticks(proc: Path, root: int) -> int:
    """Clock ticks of a process and all below it, also of those that ended and were waited for."""
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for directory in proc.glob("[0-9]*"):
        try:
            text = (directory / "stat").read_bytes()
        except OSError:  # it has ended
            continue
        # The name may hold anything, so the fields are counted from its last bracket: state, parent, ...
        fields = text.rpartition(b")")[2].split()
        number = int(directory.name)
        ticks[number] = sum(int(value) for value in fields[11:15])
        children.setdefault(int(fields[1]), []).append(number)
    total, waiting = 0, [root]
    while waiting:
        number = waiting.pop()
        total += ticks.get(number, 0)
        waiting += children.get(number, [])
    return total
