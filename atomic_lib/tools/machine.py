"""The machine that the workbook runs on, without what names it: results are published."""

import os
import re
from contextlib import suppress
from pathlib import Path

from atomic_lib.base.model import Bytes, Count, Model


class HostMachine(Model):
    """Its processors, its memory and its kernel."""

    cpu_model: str
    cpus: Count
    memory_bytes: Bytes
    kernel_release: str


def describe_machine() -> HostMachine:
    """The machine that this process runs on."""
    return HostMachine(
        cpu_model=cpu_model(),
        cpus=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        kernel_release=os.uname().release,
    )


def available_memory_bytes(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """The memory that new programs may take: what the kernel has for them, at most the limit of a container.

    Source: proc_meminfo(5); the kernel's admin-guide/cgroup-v2, memory.max (version 1: memory.limit_in_bytes).
    """
    lines = dict(line.split(":", 1) for line in (proc / "meminfo").read_text().splitlines())
    found = [int(lines["MemAvailable"].split()[0]) * 1024]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # no such group, or "max"
            found.append(int((cgroup / name).read_text()))
    return min(found)


def cpu_model(proc: Path = Path("/proc")) -> str:
    """The model of the processors, as proc_cpuinfo(5) names it."""
    found = re.search(r"^model name\s*: (.*)$", (proc / "cpuinfo").read_text(), flags=re.MULTILINE)
    return found[1] if found else "unknown"
