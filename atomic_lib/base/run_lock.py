"""Locks between commands: one works in a build directory at a time, and a boot that is compared has the machine.

They are locks of the kernel, flock(2), so each ends with the process that holds it, however that ends.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import NOTED, say

LOCK_NAME = "run.lock"
"""In the build directory. The file says who holds the lock."""
_MACHINE_LOCK = "locks/machine"
_POLL_SECONDS = 0.5


@contextmanager
def run_lock(build: Path, command: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of the directory ``build`` for ``command``, which others are told of.

    ``wait``: wait until no other command holds it, and say behind which; otherwise raises WorkbookError naming it.
    """
    build.mkdir(parents=True, exist_ok=True)
    path, told = build / LOCK_NAME, ""
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+", encoding="utf-8") as file:
        while not _taken(file.fileno()):
            holder = _holder(path)
            if not wait:
                raise WorkbookError(
                    f"{holder} is in progress: it holds {path}",
                    hint="wait until it ends, or stop it with Ctrl-C; ./workbook run --wait starts after it",
                )
            if holder != told:
                say(f"waiting behind {holder}")
                told = holder
            time.sleep(_POLL_SECONDS)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        # over what an earlier holder left, so that others never find the file empty
        length = os.pwrite(
            file.fileno(), json.dumps({"command": command, "pid": os.getpid(), "since": since}).encode(), 0
        )
        os.truncate(file.fileno(), length)
        yield


@contextmanager
def machine_lock(cache: Path, what: str, *, alone: bool = False) -> Iterator[None]:
    """Hold the machine for ``what``, beside others that do; ``alone``: wait until no other does, and keep them waiting.

    ``cache`` is the directory that all checkouts share. Work that keeps a processor busy for long holds the machine
    beside others, and only what a wall clock times holds it alone.
    """
    path, told = cache / _MACHINE_LOCK, False
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        while not _taken(file.fileno(), fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            if not told:
                others = "all other builds and boots have ended" if alone else "a boot that is timed alone has ended"
                say(f"{NOTED} {what}: waiting until {others}")
                told = True
            time.sleep(_POLL_SECONDS)
        yield


def _taken(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    """Who holds the lock, as words; the file may be half written."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"{holder['command']} (process {holder['pid']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another ./workbook"
