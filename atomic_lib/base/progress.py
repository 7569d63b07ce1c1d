"""Progress lines on standard error: one when a step starts, and one when it ends."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def say(text: str) -> None:
    """Write one line to standard error, in one write so that lines of several processes do not mix.

    Does nothing if the terminal is gone or its reader has ended: nobody can read the line, and the run can finish.
    """
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


@contextmanager
def step(what: str) -> Iterator[None]:
    """Report the start of the step ``what``, then how long it took, or that it failed or was stopped."""
    say(f"→ {what}")
    started = time.monotonic()
    try:
        yield
    except BaseException as error:
        ended = "failed" if isinstance(error, Exception) else "stopped"
        say(f"✗ {what}: {ended} after {time.monotonic() - started:.1f} s")
        raise
    say(f"✓ {what}: {time.monotonic() - started:.1f} s")
