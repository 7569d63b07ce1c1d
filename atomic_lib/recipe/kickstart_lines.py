"""The lines of a kickstart with its includes expanded, each with its file and line number.

pykickstart can expand ``%include`` itself, but then its errors have a line number without
a file name. So this module expands the includes, and pykickstart reads the result.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.source import read_text, refuse_cycle, require_within

ACCEPTED_SECTIONS = ("%packages", "%post")
SECTIONS = (
    *ACCEPTED_SECTIONS, "%addon", "%anaconda", "%certificate", "%onerror", "%pre", "%pre-install", "%traceback",
)  # fmt: skip
"""The sections that pykickstart knows. In a section, a line that begins with any other ``%word`` is text."""


@dataclass(frozen=True)
class Line:
    """A line, with its line end; ``number`` is its line number in ``path``, from 1."""

    text: str
    path: Path
    number: int

    @property
    def location(self) -> str:
        """``FILE:LINE`` for an error message."""
        return f"{self.path}:{self.number}"

    @property
    def first_word(self) -> str:
        """The text before the first space; empty for a blank line."""
        return next(iter(self.text.split(None, 1)), "").strip()

    def words(self, *, comments: bool) -> list[str]:
        """The words of the line, split as pykickstart splits it; ``comments``: ignore comments.

        Raises WorkbookError naming file and line for a quotation without an end.
        """
        try:
            return shlex.split(self.text, comments=comments)
        except ValueError as error:
            raise WorkbookError(f"{self.location}: {str(error).lower()}") from None


@dataclass(frozen=True)
class Problem:
    """An error in a line."""

    location: str
    message: str
    hint: str = ""


def read_lines(path: Path, roots: Sequence[Path] = ()) -> tuple[list[Line], tuple[Path, ...]]:
    """All lines of a kickstart with its includes expanded, and the files read.

    The path in an include is relative to the including file, which must be below one of ``roots`` (without any:
    below the directory of ``path``).
    Raises WorkbookError naming file and line for a file that is missing or elsewhere, or an include cycle.
    """
    files: dict[Path, None] = {}
    reader = _Reader(roots or (path.parent,), files)
    return list(reader.lines(path, (), "")), tuple(files)


@dataclass(frozen=True)
class _Reader:
    roots: Sequence[Path]
    files: dict[Path, None]

    def lines(self, path: Path, chain: Sequence[Path], prefix: str) -> Iterator[Line]:
        """The lines of a file and of what it includes; ``chain``: the files that include it."""
        if chain:
            require_within(path, self.roots, prefix)
        refuse_cycle(path, chain, prefix)
        self.files[path] = None
        for number, text in enumerate(read_text(path, prefix).splitlines(), start=1):
            line = Line(text + "\n", path, number)
            if line.first_word != "%include":
                yield line
                continue
            names = line.words(comments=True)[1:]
            if len(names) != 1 or not names[0]:
                hint = "name one file, relative to this one"
                raise WorkbookError(f"{line.location}: %include takes one path", hint=hint)
            yield from self.lines(path.parent / names[0], (*chain, path), f"{line.location}: %include: ")


def split_off_refused(lines: Sequence[Line]) -> tuple[list[Line], list[Problem]]:
    """The lines without the sections that are not supported, and a problem for each of these.

    Raises WorkbookError naming file and line for a section without ``%end``, an ``%end``
    without a section, or a quotation without an end.
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
                problems.append(Problem(line.location, f"section {word} is not supported", hint))
        else:
            kept.append(line)
    if opened:
        raise WorkbookError(f"{opened.location}: section {opened.first_word} has no %end", hint="end it with %end")
    return kept, problems


def _opens_section(line: Line) -> bool:
    """Whether a line outside of sections opens one. Raises WorkbookError for lines that would crash pykickstart."""
    if not line.first_word or line.first_word.startswith("#"):
        return False
    words = line.words(comments=True)
    if not words or not words[0]:
        raise WorkbookError(f"{line.location}: no command")
    if words[0] == "%end":
        raise WorkbookError(f"{line.location}: %end without a section")
    if words[0].startswith("%") and words[0] != line.first_word:
        raise WorkbookError(f"{line.location}: the name of a section must not be quoted")
    return words[0].startswith("%")
