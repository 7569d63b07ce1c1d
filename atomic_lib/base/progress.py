"""Progress on standard error: lines when a step starts and ends, and signs of life while it takes long.

The first character of a line, its mark, says what it is; see ``MARKS``. On a terminal, a sign of life replaces the one
before it, and lines have colours unless NO_COLOR is set (https://no-color.org). Elsewhere, as in a log, signs of life
are lines too, but few. A process that is started for another one (the kernel of a notebook) writes the same lines to
its standard error, and the other one passes them to ``say``.
"""

import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

STARTED, ENDED, FAILED, NOTED, ALIVE, PASSED = MARKS = "→✓✗!·■"
"""A step starts, ended, or failed; a note; a sign of life; a part of a run is done."""
ALIVE_SECONDS = 10.0
"""How often a step gives a sign of life where somebody watches."""
LOGGED_SECONDS = 60.0
"""How often it does in a log."""
ALIVE_VARIABLE = "WORKBOOK_ALIVE_SECONDS"
"""The environment variable that tells a child process how often its steps give a sign of life."""
_REDRAWN_SECONDS = 1.0
_PROGRESS = re.compile(rf"\s*[{MARKS}] ")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, and what changes the direction of text."""
_CLEARED = "\r\x1b[K"
_COLOURS = {
    STARTED: "36", ENDED: "32", FAILED: "1;31", NOTED: "33", PASSED: "1;32", ALIVE: "2", "error:": "1;31",
    "over budget:": "1;31", "Next step:": "1",
}  # fmt: skip
"""The colour of a line's first word, as parameters of SGR (ECMA-48, 8.3.117)."""


@dataclass
class Parts:
    """The parts of a run, in order, with the seconds that each may take (None: not known); ``done``: those done."""

    seconds: dict[str, float | None]
    done: set[str] = field(default_factory=set)
    started: float = field(default_factory=time.monotonic)

    def add(self, seconds: Mapping[str, float | None]) -> None:
        """Add parts that have turned out to be needed."""
        self.seconds.update(seconds)

    def drop(self, prefix: str) -> None:
        """Remove the parts not yet done whose names begin so: they will not be made."""
        for name in [name for name in self.seconds if name.startswith(prefix) and name not in self.done]:
            del self.seconds[name]

    def words(self) -> str:
        """ "[3/14] 2 min 31 s, up to 6 min left"; nothing is said of the time left unless all of it is known."""
        left = [seconds for name, seconds in self.seconds.items() if name not in self.done]
        known = [seconds for seconds in left if seconds is not None]
        done = sum(name in self.done for name in self.seconds)
        text = f"[{done}/{len(self.seconds)}] {duration(time.monotonic() - self.started)}"
        if len(known) == len(left) and any(known):
            text += f", up to {duration(sum(known))} left"
        return text


class _Shown:
    """What is shown now: the steps that run, the parts of the run, and on a terminal the last line."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.steps: list[_Step] = []
        self.parts: Parts | None = None
        self.sign = ""
        self.drawn = False
        self.logged = 0.0
        self.passed_on_until = 0.0

    def line(self, text: str) -> None:
        """Write a line; on a terminal above the sign of life."""
        with self.lock:
            if not _is_terminal():
                _write(f"{text}\n")
                return
            _write(f"{_CLEARED if self.drawn else ''}{_coloured(text)}\n")
            self.drawn = False
            start = text.lstrip()
            if start.startswith((STARTED, ENDED, FAILED)):
                self.sign = start.removeprefix(f"{STARTED} ") if start.startswith(STARTED) else ""
            self.draw()

    def alive(self, text: str, *, at_once: bool = False) -> None:
        """Show a sign of life; in a log only if the last one was written a while ago, unless it is new ``at_once``."""
        with self.lock:
            if _is_terminal():
                self.sign = text
                self.draw()
            elif at_once or time.monotonic() >= self.logged + alive_seconds() - 1:
                self.logged = time.monotonic()
                _write(f"{ALIVE} {self._with_parts(text)}\n")

    def draw(self) -> None:
        """Write the last line of the terminal anew: how far the run is, and the sign of life."""
        with self.lock:
            text = self._with_parts(self.sign)
            if text and _is_terminal():
                columns = shutil.get_terminal_size().columns
                _write(f"{_CLEARED}{_coloured(f'{ALIVE} {text}'[: columns - 1])}")
                self.drawn = True

    def clear(self) -> None:
        """Remove the sign of life."""
        with self.lock:
            self.sign = ""
            if self.drawn:
                _write(_CLEARED)
                self.drawn = False
            self.draw()

    def _with_parts(self, text: str) -> str:
        return " · ".join(filter(None, [self.parts.words() if self.parts else "", text]))


@dataclass(eq=False)
class _Step:
    what: str
    expected_seconds: float | None
    started: float = field(default_factory=time.monotonic)
    reached: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def words(self) -> str:
        taken = duration(time.monotonic() - self.started)
        expected = f" of about {duration(self.expected_seconds)}" if self.expected_seconds else ""
        return f"{self.what}: {taken}{expected}" + (f", {self.reached}" if self.reached else "")

    def give_signs(self) -> None:
        """Give signs of life until the step has ended, while it is the one that started last."""
        while not self.ended.wait(_REDRAWN_SECONDS if _is_terminal() else alive_seconds()):
            with _SHOWN.lock:
                if _SHOWN.steps[-1:] == [self] and time.monotonic() > _SHOWN.passed_on_until:
                    _SHOWN.alive(self.words())


_SHOWN = _Shown()


def say(text: str) -> None:
    """Write lines to standard error, in one write so that those of several processes do not mix.

    Control characters are shown as escapes. Does nothing if the terminal is gone or its reader has ended: nobody can
    read the line, and the run can finish.
    """
    text = _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    if text.startswith(f"{ALIVE} "):
        _SHOWN.passed_on_until = time.monotonic() + 1.5 * alive_seconds()  # it says more than our own step
        _SHOWN.alive(text.removeprefix(f"{ALIVE} "))
    elif text.startswith(f"{PASSED} ") and _SHOWN.parts:
        _passed(text.removeprefix(f"{PASSED} "), _SHOWN.parts)
    else:
        _SHOWN.line(text)


def is_progress(line: str) -> bool:
    """Whether a line is one of this module's: such lines are for the moment, and on no page."""
    return bool(_PROGRESS.match(line))


@contextmanager
def step(what: str, expected_seconds: float | None = None, note: str = "") -> Iterator[None]:
    """Report the start of the step ``what``, signs of life, and how long it took, or that it failed or was stopped.

    ``expected_seconds``: how long such a step took before; None if that is not known. ``note`` is for the first line.
    """
    expected = f", about {duration(expected_seconds)}" if expected_seconds else ""
    say(f"{STARTED} {what}{f' ({note})' if note else ''}{expected}")
    own = _Step(what, expected_seconds)
    with _SHOWN.lock:
        _SHOWN.steps.append(own)
    threading.Thread(target=own.give_signs, name=f"progress of {what}", daemon=True).start()
    try:
        yield
    except BaseException as error:
        _end(own)
        ended = "failed" if isinstance(error, Exception) else "stopped"
        say(f"{FAILED} {what}: {ended} after {time.monotonic() - own.started:.1f} s")
        raise
    _end(own)
    say(f"{ENDED} {what}: {time.monotonic() - own.started:.1f} s")


def reached(milestone: str) -> None:
    """Say which milestone the step that started last has reached; its signs of life repeat the newest one."""
    with _SHOWN.lock:
        for last in _SHOWN.steps[-1:]:
            if last.reached != milestone:
                last.reached = milestone
                _SHOWN.alive(last.words(), at_once=alive_seconds() < LOGGED_SECONDS)


def passed(part: str) -> None:
    """Say that a part of the run is done; where none is counted, nothing is said."""
    if _SHOWN.parts or ALIVE_VARIABLE in os.environ:
        say(f"{PASSED} {part}")


@contextmanager
def counting(parts: Parts) -> Iterator[None]:
    """Count the parts of a run that are done, and show in the signs of life of the block how far it is."""
    ended = threading.Event()

    def redraw() -> None:
        while not ended.wait(_REDRAWN_SECONDS):
            _SHOWN.draw()

    _SHOWN.parts = parts
    threading.Thread(target=redraw, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        _SHOWN.parts = None
        _SHOWN.clear()


def alive_seconds() -> float:
    """How often a step gives a sign of life: more often where somebody watches, here or at the parent process."""
    if _is_terminal():
        return ALIVE_SECONDS
    with suppress(ValueError):
        return float(os.environ[ALIVE_VARIABLE]) if ALIVE_VARIABLE in os.environ else LOGGED_SECONDS
    return LOGGED_SECONDS


def duration(seconds: float) -> str:
    """ "85 s", "2 min 31 s", "1 h 2 min": a time as a person reads it."""
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if seconds < 100:
        return f"{round(seconds)} s"
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {whole} s"


def _end(step_: _Step) -> None:
    step_.ended.set()
    with _SHOWN.lock:
        _SHOWN.steps.remove(step_)
        _SHOWN.clear()


def _passed(part: str, parts: Parts) -> None:
    if part in parts.seconds and part not in parts.done:
        parts.done.add(part)
        _SHOWN.line(f"{PASSED} {part} · {parts.words()}")


def _is_terminal() -> bool:
    with suppress(OSError, ValueError, AttributeError):
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return False


def _coloured(text: str) -> str:
    """A line with its first word in colour."""
    if os.environ.get("NO_COLOR"):
        return text
    start = text.lstrip()
    for word, colour in _COLOURS.items():
        if start.startswith(word):
            return text.replace(word, f"\x1b[{colour}m{word}\x1b[0m", 1)
    return text


def _write(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
