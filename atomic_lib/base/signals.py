"""Signals: orderly termination, and children that end with their parent."""

import ctypes
import signal
import sys
from typing import NoReturn

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def unwind(number: int, _: object) -> NoReturn:
    """A signal handler that raises SystemExit, so that context managers stop processes and remove files."""
    sys.exit(128 + number)


def end_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent ends; see prctl(2), PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
