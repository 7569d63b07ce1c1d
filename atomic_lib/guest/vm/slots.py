"""At most as many guests at once as there are processors, in all processes of this user on this machine.

Under TCG a guest keeps a processor busy until it is up. One more makes no boot earlier, and all of them later: see
docs/measuring.md. Who waits has an empty, locked file, whose name is its place in the queue; the kernel unlocks it when
its process ends, however it does.
"""

import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TextIO

from atomic_lib.base.model import Accelerator
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.progress import reached
from atomic_lib.guest.vm.host_load import idle_cpu_seconds

MOST_SECONDS = 900.0
"""How long a guest waits: its slot saves time, and nothing else depends on it."""
_IDLE_SECONDS = 5.0
"""How long a processor must have had little to do for one guest more, while others wait for something."""
_POLL_SECONDS = 0.2

_own = threading.local()


@contextmanager
def guest_slot(accelerator: Accelerator, directory: Path | None = None, *, to_follow: int = 0) -> Iterator[None]:
    """Wait until a processor is free for a guest, which it is not for others in the block. One is free, too, if guests
    that have one leave half of it idle.

    The guest after which most others are to follow comes first, so that not all of them are left at the end, when
    nothing else runs; else the one that has waited longest. ``to_follow``: how many wait for the end of this one.
    Nobody waits under KVM, nor a thread within such a block: one that was let in without a slot does not wait again.
    ``directory``: where the locks are; None: in the cache.
    """
    if accelerator == "kvm" or getattr(_own, "has_waited", False):
        yield
        return
    directory = directory or cache_directory() / "locks"
    directory.mkdir(parents=True, exist_ok=True)
    with _in_queue(directory, to_follow) as ticket:
        slot = _wait(directory, ticket)
    with slot or nullcontext():
        _own.has_waited = True
        try:
            yield
        finally:
            _own.has_waited = False


def _wait(directory: Path, ticket: Path) -> TextIO | None:
    """The lock of a free slot; None if the guest starts without one."""
    deadline = time.monotonic() + MOST_SECONDS
    since, idle_seconds = time.monotonic(), idle_cpu_seconds()
    while time.monotonic() < deadline:
        is_next = _is_next(ticket)
        if is_next and (slot := _free_slot(directory)):
            return slot
        reached("waits: there is a guest for each processor")
        time.sleep(_POLL_SECONDS)
        if (seconds := time.monotonic() - since) >= _IDLE_SECONDS:
            if is_next and idle_cpu_seconds() - idle_seconds >= seconds / 2:
                return None
            since, idle_seconds = time.monotonic(), idle_cpu_seconds()
    return None


@contextmanager
def _in_queue(directory: Path, to_follow: int) -> Iterator[Path]:
    """The file of one that waits, which is in the queue in the block. Names sort as the queue does."""
    descriptor, new = tempfile.mkstemp(prefix="new-", dir=directory)
    ticket = directory / f"waits-{9999 - to_follow:04}-{time.time_ns():020}-{Path(new).name}"
    with open(descriptor) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.rename(new, ticket)  # others see it only once it is locked
        try:
            yield ticket
        finally:
            ticket.unlink(missing_ok=True)


def _is_next(ticket: Path) -> bool:
    """Whether nobody who still waits is before this one; files of processes that have ended are removed."""
    for other in sorted(ticket.parent.glob("waits-*")):
        if other >= ticket:
            return True
        with _locked(other) or nullcontext() as abandoned:
            if not abandoned:
                return False
            other.unlink(missing_ok=True)
    return True


def _free_slot(directory: Path) -> TextIO | None:
    return next(filter(None, (_locked(directory / f"guest-{number}") for number in range(os.cpu_count() or 1))), None)


def _locked(file: Path) -> TextIO | None:
    """The file, open and locked; None if somebody else has locked it."""
    handle = open(file, "w")  # noqa: SIM115  # open as long as it is locked
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle
