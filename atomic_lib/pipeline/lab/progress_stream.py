"""Progress lines as a bar: a stream that takes those that ``atomic_lib.base.progress`` writes to standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import TextIO

_STARTED, _DONE, _FAILED, _NOTE = "→", "✓", "✗", "!"


@dataclass
class Steps:
    """The steps so far: what runs, what is done, and notes, in the order in which they came."""

    running: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def take(self, line: str) -> None:
        """Take a progress line."""
        mark, text = line[:1], line[1:].strip()
        if mark == _STARTED:
            self.running.append(text)
        elif mark == _NOTE:
            self.notes.append(text)
        else:
            ended = next((one for one in reversed(self.running) if text.startswith(one)), None)
            if ended is not None:
                self.running.remove(ended)
            self.done.append(f"{mark} {text}")

    def as_html(self) -> str:
        """A bar while something runs, the last steps folded away, and the notes."""
        seconds = time.monotonic() - self.started
        head = f"{len(self.done)} steps done, {seconds:.0f} s"
        if self.running:
            bar = '<progress style="width:12rem;vertical-align:middle"></progress>'
            head = f"{bar} {escape(self.running[-1])} · {head}"
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
        if not lines or not all(line.startswith((_STARTED, _DONE, _FAILED, _NOTE)) for line in lines):
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
