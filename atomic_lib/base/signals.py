"""A process told to stop ends in order, and a child ends with its parent."""

import ctypes
import signal
import sys
from typing import NoReturn


def unwind(number: int, _: object) -> NoReturn:
    # As an exception, so that every context manager ends its processes and removes its files.
    sys.exit(128 + number)


_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent() -> None:
    """Be told to end when the process that started this one ends, however it does."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
