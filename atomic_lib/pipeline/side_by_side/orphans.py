"""The descendants of a process that executes a notebook: none of them outlives it.

A command of the tools tree ends with the process that started it. Other programs would go on if a notebook's kernel
were killed: those that a cell starts by itself, or a package manager of the host.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_GONE_SECONDS = 10.0
_POLL_SECONDS = 0.01


def end_descendants() -> None:
    """Kill the children of this process, and those that it then adopts, until there are none."""
    deadline = time.monotonic() + _GONE_SECONDS
    while (children := list(_children())) and time.monotonic() < deadline:
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):  # whoever started it has seen it end
                os.waitpid(pid, os.WNOHANG)
        time.sleep(_POLL_SECONDS)


def _children() -> Iterator[int]:
    own = str(os.getpid())
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if path.read_text(errors="replace").rpartition(") ")[2].split()[1] == own:
                yield int(path.parent.name)
