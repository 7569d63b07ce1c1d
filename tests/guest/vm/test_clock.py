"""The guest's clock on the host's time line."""

import time
from collections.abc import Iterator
from typing import cast

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.vm.clock import Clock, read_clock, read_clock_again, seconds_in
from atomic_lib.guest.vm.ssh import Shell


class Answering:
    """As much of a shell as the clock needs: it gives the answers it was made with, and then fails."""

    def __init__(self, *answers: str) -> None:
        self.answers: Iterator[str] = iter(answers)

    def run(self, command: str, *, timeout_seconds: float) -> Completed:
        assert command == "cat /proc/uptime"
        for answer in self.answers:
            return Completed(answer, "")
        raise CommandError("ssh: exit status 255")


def shell(*answers: str) -> Shell:
    return cast(Shell, Answering(*answers))


def test_the_zero_of_the_guests_clock() -> None:
    started = time.monotonic() - 100
    clock, first_seconds = read_clock(shell(*["60.00 5.0\n"] * 3), started)
    assert clock.zero_seconds == pytest.approx(40, abs=0.5)
    assert first_seconds == pytest.approx(100, abs=0.5)
    assert clock.drift_seconds is None
    assert not clock.kept_pace


@pytest.mark.parametrize("text", ["", "sh: cat: not found", "nan 1", "-5 1", "1e9 2"])
def test_a_guest_without_a_clock_is_an_error(text: str) -> None:
    with pytest.raises(WorkbookError, match="not a time"):
        read_clock(shell(text), 0.0)


@pytest.mark.parametrize(("uptime", "kept_pace"), [("60.0 1", True), ("70.0 1", False), ("52.0 1", False)])
def test_a_clock_that_jumps_is_found_out(uptime: str, kept_pace: bool) -> None:
    clock = read_clock_again(Clock(40.0, 0.05), shell(*[uptime] * 3), time.monotonic() - 100)
    assert clock.zero_seconds == 40.0
    assert clock.drift_seconds == pytest.approx(60 - float(uptime.split()[0]), abs=0.5)
    assert clock.kept_pace is kept_pace


def test_a_guest_that_is_gone_leaves_the_clock_as_it_was() -> None:
    assert read_clock_again(Clock(40.0, 0.05), shell(), 0.0) == Clock(40.0, 0.05)


def test_times_of_the_guest_on_the_hosts_line() -> None:
    clock = Clock(4.0, 0.1)
    assert clock.host_seconds(12.5) == 16.5
    assert clock.host_seconds(None) is None
    assert clock.host_seconds(-5.0) is None
    assert clock.host_seconds(float("inf")) is None


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("12.5", 12.5), ("0", 0.0), ("", None), (".", None), ("12.", 12.0), ("nan", None), ("1e3", None), ("-1", None),
     ("\u0661.5", None), ("1.2.3", None)],
)  # fmt: skip
def test_a_number_of_seconds(word: str, seconds: float | None) -> None:
    assert seconds_in(word) == seconds
