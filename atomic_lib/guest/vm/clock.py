"""The guest's clock on the host's time line."""

import math
import time
from dataclasses import dataclass

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.vm.ssh import Shell

_ROUND_TRIPS = 3
_READ_SECONDS = 120
_SLACK_SECONDS = 0.5
"""How far the guest's clock may drift over a boot, beyond what reading it twice leaves open."""


@dataclass(frozen=True)
class Clock:
    """Where the guest's clock begins: seconds from QEMU's start, and by how much that may be wrong.

    ``drift_seconds``: by how much the guest's clock fell behind the host's (below zero: ran
    ahead) until it was read again after the boot; None if it was not read again.
    """

    zero_seconds: float
    error_seconds: float
    drift_seconds: float | None = None

    def host_seconds(self, guest_seconds: float | None) -> float | None:
        """Seconds since QEMU's start for a time of the guest's clock; None for one before that, or for none."""
        if guest_seconds is None:
            return None
        seconds = self.zero_seconds + guest_seconds
        return seconds if math.isfinite(seconds) and seconds >= 0 else None

    def compared_with(self, later: "Clock") -> "Clock":
        """This clock with the drift that a later reading shows."""
        error = max(self.error_seconds, later.error_seconds)
        return Clock(self.zero_seconds, error, later.zero_seconds - self.zero_seconds)

    @property
    def kept_pace(self) -> bool:
        """Whether the guest's clock ran as fast as the host's, within the error of the readings."""
        return self.drift_seconds is not None and abs(self.drift_seconds) <= 2 * self.error_seconds + _SLACK_SECONDS


def read_clock(shell: Shell, started: float) -> tuple[Clock, float]:
    """Where the guest's clock begins, and when the first command came back (seconds since ``started``).

    The clock was read at some time of a round trip: the middle is taken, half the trip is the
    error, and the shortest of a few trips is kept. Raises WorkbookError when no command runs.
    """
    readings: list[Clock] = []
    first_seconds = 0.0
    for _ in range(_ROUND_TRIPS):
        before = time.monotonic()
        uptime_seconds = _uptime_seconds(shell)
        after = time.monotonic()
        first_seconds = first_seconds or after - started
        middle, half = (before + after) / 2, (after - before) / 2
        readings.append(Clock(middle - started - uptime_seconds, half))
    return min(readings, key=lambda reading: reading.error_seconds), first_seconds


def read_clock_again(clock: Clock, shell: Shell, started: float) -> Clock:
    """``clock`` with its drift until now; unchanged where the guest no longer answers."""
    try:
        later, _ = read_clock(shell, started)
    except WorkbookError:
        return clock
    return clock.compared_with(later)


def seconds_in(word: str) -> float | None:
    """A number of seconds as /proc/uptime writes it, or None for any other word."""
    whole, _, fraction = word.partition(".")
    digits = whole + (fraction or "0")
    return float(word) if digits.isascii() and whole.isdecimal() and (fraction or "0").isdecimal() else None


def _uptime_seconds(shell: Shell) -> float:
    try:
        text = shell.run("cat /proc/uptime", timeout_seconds=_READ_SECONDS).stdout
    except CommandError as error:
        message = f"the login succeeded, but the guest ran no command: {error.message}"
        raise WorkbookError(message, hint="read the console log", log=error.log) from error
    seconds = seconds_in(text.partition(" ")[0])
    if seconds is None:
        raise WorkbookError(f"the guest's /proc/uptime is not a time: {text[:80]!r}", hint="read the console log")
    return seconds
