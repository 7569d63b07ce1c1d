"""Signals: orderly termination, and children that end with their parent."""

import ctypes
import signal
from typing import NoReturn

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
_LIBC = ctypes.CDLL(None)


class Stopped(SystemExit):
    """A signal stopped the process; the exit status is 128 and the number of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)


def unwind(number: int, _: object) -> NoReturn:
    """A signal handler that raises Stopped, so that context managers stop processes and remove files.

    A second SIGTERM or SIGHUP is ignored, so that it does not interrupt this; SIGINT does.
    """
    for ignored in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    raise Stopped(number)


def end_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send a signal to this process when its parent ends; see prctl(2), PR_SET_PDEATHSIG."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)


def adopt_orphans() -> None:
    """Have the descendants of this process become its children when their own parents end; see prctl(2)."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)
