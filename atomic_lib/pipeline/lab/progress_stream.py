"""Progress lines as a bar: a stream that takes those that ``atomic_lib.base.progress`` writes to standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import TextIO

from atomic_lib.base.progress import ALIVE, ENDED, FAILED, NOTED, STARTED, is_progress


@dataclass
class Steps:
    """The steps so far: what runs, what is done, and notes, in the order in which they came.

    ``sign``: the newest sign of life, until a step starts or ends.
    """

    running: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sign: str = ""
    started: float = field(default_factory=time.monotonic)

    def take(self, line: str) -> None:
        """Take a progress line."""
        mark, text = line[:1], line[1:].strip()
        if mark == NOTED:
            self.notes.append(text)
        elif mark == ALIVE:
            self.sign = text
        elif mark == STARTED:
            self.running.append(text)
            self.sign = ""
        elif mark in (ENDED, FAILED):
            self._end(text.rpartition(": ")[0])
            self.done.append(f"{mark} {text}")
            self.sign = ""

    def _end(self, step: str) -> None:
        """The last one that runs of this name, after which its first line may have a note and the time it takes."""
        for number in reversed(range(len(self.running))):
            rest = self.running[number].removeprefix(step)
            if rest != self.running[number] and (not rest or rest.startswith((" (", ", about "))):
                del self.running[number]
                return

    def as_html(self) -> str:
        """A bar while something runs, the last steps folded away, and the notes."""
        seconds = time.monotonic() - self.started
        head = f"{len(self.done)} steps done, {seconds:.0f} s"
        if self.running:
            bar = '<progress style="width:12rem;vertical-align:middle"></progress>'
            head = f"{bar} {escape(self.sign or self.running[-1])} · {head}"
        notes = "".join(f"<div>{escape(note)}</div>" for note in self.notes)
        done = "<br>".join(map(escape, self.done))
        folded = f"<summary>{head}</summary>{done}"
        return f'<div style="opacity:.8;font-size:.9em">{notes}<details>{folded}</details></div>'


class ProgressStream:
    """Standard error of which each progress line goes to ``show``, as all steps so far; other text goes on."""

    def __init__(self, stream: TextIO, show: Callable[[Steps], None]) -> None:
        self._stream, self._show = stream, show
        self._steps = Steps()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def begin(self) -> None:
        """Forget the steps so far: another cell begins."""
        self._steps = Steps()

    def write(self, text: str) -> int:
        """Write a text, or show the progress lines that it consists of."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not lines or not all(map(is_progress, lines)):
            return self._stream.write(text)
        for line in lines:
            self._steps.take(line)
        self._show(self._steps)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()


@contextmanager
def progress_shown(show: Callable[[Steps], None]) -> Iterator[None]:
    """Show the progress lines of the block with ``show``, and not on standard error."""
    stream = sys.stderr
    sys.stderr = ProgressStream(stream, show)
    try:
        yield
    finally:
        sys.stderr = stream
