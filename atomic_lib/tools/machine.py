"""The machine that the workbook runs on, without what names it: results are published."""

import os
import re
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


def cpu_model(proc: Path = Path("/proc")) -> str:
    """The model of the processors, as proc_cpuinfo(5) names it."""
    found = re.search(r"^model name\s*: (.*)$", (proc / "cpuinfo").read_text(), flags=re.MULTILINE)
    return found[1] if found else "unknown"
