"""The lock of a build directory: one command at a time works in it.

It is a lock of the kernel, flock(2) on ``build/run.lock``, so it ends with the process that holds it, however that
ends. The file says who holds it.
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
from atomic_lib.base.progress import say

LOCK_NAME = "run.lock"
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


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
