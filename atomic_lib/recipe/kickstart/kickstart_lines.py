"""The lines of a kickstart with its includes expanded, each with its file and line number.

Only a line feed ends a line, so that scripts reach their interpreter byte for byte. The last line
of a file always ends: what follows an include is on a line of its own.

pykickstart can expand ``%include`` itself, but then its errors have a line number without
a file name. So this module expands the includes, and pykickstart reads the result.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart.kickstart_reasons import SECTION_REASONS, SECTIONS_WITHOUT_EFFECT
from atomic_lib.recipe.source import read_text, refuse_cycle, require_within

ACCEPTED_SECTIONS = ("%packages", "%post")
SECTIONS = (*ACCEPTED_SECTIONS, *SECTION_REASONS, *SECTIONS_WITHOUT_EFFECT)
"""The sections that pykickstart knows. In a section, a line that begins with any other ``%word`` is text."""
INCLUDES = ("%include", "%ksappend")
_ADDRESS = re.compile(r"(https?|ftp|file|nfs|hd|cdrom):")
_INCLUDES_MOST, _DEPTH_MOST = 1000, 50
_MARK = "\ufeff"


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
            hint = "close each quotation in its line, and write a single quotation mark as \\'"
            raise WorkbookError(f"{self.location}: {str(error).lower()}", hint=hint) from None


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
    Raises WorkbookError naming file and line for a file that is missing or elsewhere, an include cycle, or too many
    includes.
    """
    files: dict[Path, None] = {}
    reader = _Reader(roots or (path.parent,), files, [])
    return list(reader.lines(path, (), "")), tuple(files)


@dataclass(frozen=True)
class _Reader:
    roots: Sequence[Path]
    files: dict[Path, None]
    includes: list[str]

    def lines(self, path: Path, chain: Sequence[Path], prefix: str) -> Iterator[Line]:
        """The lines of a file and of what it includes; ``chain``: the files that include it."""
        if chain:
            _require_within(path, self.roots, prefix)
        refuse_cycle(path, chain, prefix)
        self.files[path] = None
        whole = read_text(path, prefix)
        if whole.startswith(_MARK):
            raise WorkbookError(
                f"{path}:1: begins with a byte order mark, which Anaconda would take for a part of the first word",
                hint="save the file as UTF-8 without it",
            )
        for number, text in enumerate(_split(whole), start=1):
            line = Line(text, path, number)
            if line.first_word not in INCLUDES:
                yield line
                continue
            self.includes.append(line.location)
            if len(self.includes) > _INCLUDES_MOST or len(chain) >= _DEPTH_MOST:
                raise WorkbookError(
                    f"{line.location}: {line.first_word}: more than {_INCLUDES_MOST} includes, or {_DEPTH_MOST} in one "
                    "another",
                    hint="include each file once, where its lines are needed",
                )
            yield from self.lines(_included(line), (*chain, path), f"{line.location}: {line.first_word}: ")


def _split(text: str) -> list[str]:
    """The lines of a text with their ends, at line feeds only; the last one gets an end if it has none."""
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in (*lines, *([last] if last else []))]


def _included(line: Line) -> Path:
    """The file that an include names."""
    names = line.words(comments=True)[1:]
    if len(names) != 1 or not names[0]:
        hint = "name one file, relative to this one"
        raise WorkbookError(f"{line.location}: {line.first_word} takes one path", hint=hint)
    name = names[0]
    if _ADDRESS.match(name):
        raise WorkbookError(
            f"{line.location}: {line.first_word}: {name} is an address, and a recipe consists of files",
            hint="save the file beside this one, and include it from there",
        )
    return line.path.parent / name


def _require_within(path: Path, roots: Sequence[Path], prefix: str) -> None:
    """As ``require_within``; what installations include from elsewhere was often written by ``%pre``."""
    try:
        require_within(path, roots, prefix)
    except WorkbookError as error:
        hint = f"{error.hint}; if %pre would write it: %pre does not run here, so write its lines into a file"
        raise WorkbookError(error.message, hint=hint) from None


@dataclass(frozen=True)
class Sections:
    """The lines to read, without the sections that are not read: those refused, and those without effect."""

    kept: list[Line]
    problems: list[Problem]
    without_effect: list[tuple[Line, str]]
    """The line that opens a section without effect, and why it has none."""


def split_off_sections(lines: Sequence[Line], *, ends_required: bool = True) -> Sections:
    """Take out the sections that are refused or have no effect.

    Without ``ends_required``, a section without ``%end`` goes on to the next one, or to the last line; it gets one.

    Raises WorkbookError naming file and line for a section without a required ``%end``, an ``%end``
    without a section, or a quotation without an end.
    """
    found = Sections([], [], [])
    opened: Line | None = None
    for line in lines:
        word = line.first_word
        if opened and word in SECTIONS:
            if ends_required:
                break
            _end(opened, found)
            opened = None
        if opened:
            if opened.first_word in ACCEPTED_SECTIONS:
                found.kept.append(line)
            if word == "%end":
                line.words(comments=False)
                opened = None
        elif _opens_section(line):
            opened = line
            _file_section(line, found)
        else:
            found.kept.append(line)
    if opened and ends_required:
        raise WorkbookError(f"{opened.location}: section {opened.first_word} has no %end", hint="end it with %end")
    if opened:
        _end(opened, found)
    return found


def _end(opened: Line, found: Sections) -> None:
    if opened.first_word in ACCEPTED_SECTIONS:
        found.kept.append(Line("%end\n", opened.path, opened.number))


def _file_section(line: Line, found: Sections) -> None:
    word, words = line.first_word, line.words(comments=True)
    if word in ACCEPTED_SECTIONS:
        found.kept.append(line)
    elif word in SECTIONS_WITHOUT_EFFECT:
        found.without_effect.append((line, f"{word} has no effect: {SECTIONS_WITHOUT_EFFECT[word]}"))
    elif words[1:3] == ["com_redhat_kdump", "--disable"]:
        found.without_effect.append((line, "%addon com_redhat_kdump --disable has no effect: nothing sets up kdump"))
    else:
        reason = SECTION_REASONS.get(word, "no section has this name")
        hint = f"accepted sections: {', '.join((*ACCEPTED_SECTIONS, *SECTIONS_WITHOUT_EFFECT))}"
        found.problems.append(Problem(line.location, f"section {word} is not supported: {reason}", hint))


def _opens_section(line: Line) -> bool:
    """Whether a line outside of sections opens one. Raises WorkbookError for lines that would crash pykickstart."""
    if not line.first_word or line.first_word.startswith("#"):
        return False
    words = line.words(comments=True)
    if not words or not words[0]:
        raise WorkbookError(f"{line.location}: no command", hint="begin the line with the name of a command")
    if words[0] == "%end":
        raise WorkbookError(f"{line.location}: %end without a section", hint="remove it, or open a section before it")
    if words[0].startswith("%") and words[0] != line.first_word:
        raise WorkbookError(f"{line.location}: the name of a section must not be quoted", hint="remove the quotes")
    return words[0].startswith("%")
