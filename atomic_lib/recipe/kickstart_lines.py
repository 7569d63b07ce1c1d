"""The lines of a kickstart with its includes in place, each with the file and line it came from.

pykickstart follows ``%include`` itself, but then its errors carry a line number without
its file. So the includes are put in place here, and pykickstart reads the result.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.source import read_text, refuse_cycle

ACCEPTED_SECTIONS = ("%packages", "%post")
SECTIONS = (
    *ACCEPTED_SECTIONS, "%addon", "%anaconda", "%certificate", "%onerror", "%pre", "%pre-install", "%traceback",
)  # fmt: skip
"""The sections that pykickstart knows; a line that begins with another ``%word`` belongs to a section's text."""


@dataclass(frozen=True)
class Line:
    """One line, with its line end; ``number`` counts from 1 in ``path``."""

    text: str
    path: Path
    number: int

    @property
    def place(self) -> str:
        """``FILE:LINE`` for an error message."""
        return f"{self.path}:{self.number}"

    @property
    def first_word(self) -> str:
        """What stands before the first space; empty on a blank line."""
        return next(iter(self.text.split(None, 1)), "").strip()

    def words(self, *, comments: bool) -> list[str]:
        """The line split as pykickstart splits it; ``comments``: leave them out."""
        try:
            return shlex.split(self.text, comments=comments)
        except ValueError as error:
            raise WorkbookError(f"{self.place}: {str(error).lower()}: {self.text.strip()}") from None


@dataclass(frozen=True)
class Problem:
    """Something on a line that is not accepted."""

    place: str
    message: str
    hint: str = ""


def read_lines(path: Path) -> tuple[list[Line], tuple[Path, ...]]:
    """All lines of a kickstart, includes in their place, and the files read.

    A path in an include is relative to the including file.
    Raises WorkbookError naming file and line: missing file, include cycle.
    """
    files: dict[Path, None] = {}
    return list(_lines(path, (), "", files)), tuple(files)


def _lines(path: Path, chain: Sequence[Path], asked_by: str, files: dict[Path, None]) -> Iterator[Line]:
    refuse_cycle(path, chain, asked_by)
    files[path] = None
    for number, text in enumerate(read_text(path, asked_by).splitlines(), start=1):
        line = Line(text + "\n", path, number)
        if line.first_word != "%include":
            yield line
            continue
        names = line.words(comments=True)[1:]
        if len(names) != 1 or not names[0]:
            raise WorkbookError(f"{line.place}: %include takes one path", hint="one file, relative to this one")
        yield from _lines(path.parent / names[0], (*chain, path), f"{line.place}: %include: ", files)


def split_off_refused(lines: Sequence[Line]) -> tuple[list[Line], list[Problem]]:
    """The lines without the sections that are not accepted, and a problem for each of these.

    Raises WorkbookError naming file and line: a section that does not end, an ``%end`` too
    many, a quotation that does not end.
    """
    kept: list[Line] = []
    problems: list[Problem] = []
    opened: Line | None = None
    for line in lines:
        word = line.first_word
        if opened:
            if word in SECTIONS:
                break
            if opened.first_word in ACCEPTED_SECTIONS:
                kept.append(line)
            if word == "%end":
                line.words(comments=False)
                opened = None
        elif _opens_section(line):
            opened = line
            if word in ACCEPTED_SECTIONS:
                kept.append(line)
            else:
                hint = f"accepted sections: {', '.join(ACCEPTED_SECTIONS)}"
                problems.append(Problem(line.place, f"section {word} is not supported", hint))
        else:
            kept.append(line)
    if opened:
        raise WorkbookError(f"{opened.place}: section {opened.first_word} has no %end", hint="close it with %end")
    return kept, problems


def _opens_section(line: Line) -> bool:
    """Whether a line outside of sections opens one; checks what pykickstart would stumble over."""
    if not line.first_word or line.first_word.startswith("#"):
        return False
    words = line.words(comments=True)
    if not words or not words[0]:
        raise WorkbookError(f"{line.place}: no command: {line.text.strip()}")
    if words[0] == "%end":
        raise WorkbookError(f"{line.place}: %end without a section")
    if words[0].startswith("%") and words[0] != line.first_word:
        raise WorkbookError(f"{line.place}: the name of a section must not be quoted: {line.text.strip()}")
    return words[0].startswith("%")
