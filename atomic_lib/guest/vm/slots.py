"""At most as many guests at once as there are processors, in all processes of this user on this machine.

Under TCG a guest keeps a processor busy until it is up. One more makes no boot earlier, and all of them later: see
docs/measuring.md.
"""

import fcntl
import os
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
def guest_slot(accelerator: Accelerator, directory: Path | None = None) -> Iterator[None]:
    """Wait until a processor is free for a guest, which it is not for others in the block. One is free, too, if guests
    that have one leave half of it idle.

    Nobody waits under KVM, nor a thread within such a block: one that was let in without a slot does not wait again.
    ``directory``: where the locks are; None: in the cache.
    """
    if accelerator == "kvm" or getattr(_own, "has_waited", False):
        yield
        return
    directory = directory or cache_directory() / "locks"
    directory.mkdir(parents=True, exist_ok=True)
    with _wait(directory) or nullcontext():
        _own.has_waited = True
        try:
            yield
        finally:
            _own.has_waited = False


def _wait(directory: Path) -> TextIO | None:
    """The lock of a free slot; None if the guest starts without one."""
    deadline = time.monotonic() + MOST_SECONDS
    since, idle_seconds = time.monotonic(), idle_cpu_seconds()
    while not (slot := _free_slot(directory)) and time.monotonic() < deadline:
        reached("waits: there is a guest for each processor")
        time.sleep(_POLL_SECONDS)
        if (seconds := time.monotonic() - since) >= _IDLE_SECONDS:
            if idle_cpu_seconds() - idle_seconds >= seconds / 2:
                return None
            since, idle_seconds = time.monotonic(), idle_cpu_seconds()
    return slot


def _free_slot(directory: Path) -> TextIO | None:
    for number in range(os.cpu_count() or 1):
        slot = open(directory / f"guest-{number}", "w")  # noqa: SIM115  # open as long as the guest runs
        try:
            fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            slot.close()
        else:
            return slot
    return None
