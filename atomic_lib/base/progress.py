"""Progress of long steps, one line when a step starts and one when it ends."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """Write one line to standard error at once, whole even beside other processes."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextmanager
def step(what: str) -> Iterator[None]:
    """Announce ``what``, then say how long it took or that it failed."""
    say(f"→ {what}")
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say(f"✗ {what}: failed after {time.monotonic() - started:.1f} s")
        raise
    say(f"✓ {what}: {time.monotonic() - started:.1f} s")
