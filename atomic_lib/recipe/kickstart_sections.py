"""The supported sections of a kickstart, ``%packages`` and ``%post``: pykickstart's classes with stricter checks.

Values of pykickstart are typed as Any, because it has no type annotations.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pykickstart.errors import KickstartDeprecationWarning, KickstartError  # type: ignore[import-untyped]
from pykickstart.parser import Script  # type: ignore[import-untyped]
from pykickstart.sections import PackageSection, PostScriptSection  # type: ignore[import-untyped]

from atomic_lib.recipe.kickstart_commands import OPTION_REASONS, Options
from atomic_lib.recipe.kickstart_lines import Line, Problem

_PACKAGE_OPTIONS = {"excludedocs": "--excludedocs", "nocore": "--nocore", "excludeWeakdeps": "--exclude-weakdeps"}


class SectionReader:
    """Collects problems and notes; lines are identified by their number in the text that pykickstart reads (from 1)."""

    def __init__(self, lines: Sequence[Line], problems: Sequence[Problem]) -> None:
        self._lines = lines
        self.problems = list(problems)
        self.notes: list[str] = []

    def location(self, number: int) -> str:
        """``FILE:LINE`` of the line with this number."""
        return self._lines[number - 1].location

    def refuse(self, number: int, message: str, hint: str = "") -> None:
        """Add a problem."""
        self.problems.append(Problem(self.location(number), message, hint))

    def note(self, number: int, text: str) -> None:
        """Add a note. It names the file without its directory, so that it is the same in every checkout."""
        line = self._lines[number - 1]
        self.notes.append(f"{line.path.name}:{line.number}: {text}")

    @contextmanager
    def reporting(self, number: int, what: str) -> Iterator[None]:
        """In this block, turn pykickstart's errors into problems and its deprecation warnings into notes."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield
            except KickstartError as error:
                self.refuse(number, f"{what}: {_one_line(error.message)}")
        for warning in caught:
            if issubclass(warning.category, KickstartDeprecationWarning):
                self.note(number, f"{what}: {_deprecation(str(warning.message))}")

    def refuse_options(self, number: int, words: Sequence[str], parser: Any, given: Options) -> None:
        """Add a problem for each of the remaining options; ``words`` is the line, its command or section first."""
        for dest in given:
            reason = OPTION_REASONS.get((words[0], dest))
            name = _option_name(parser, dest, words)
            self.refuse(number, f"{words[0]} {name}: {reason or 'this option is not supported'}")


def given_options(parser: Any, words: Sequence[str]) -> Options:
    """The options in ``words`` that differ from the default, by pykickstart's names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        namespace, _ = parser.parse_known_args(args=list(words), lineno=0)
    return {dest: value for dest, value in vars(namespace).items() if value != parser.get_default(dest)}


class PackagesSection(PackageSection):  # type: ignore[misc]
    """``%packages``; checks every line. As in pykickstart, the options of the last section apply."""

    allLines = True  # pass blank lines to handleLine too, to count line numbers

    def __init__(self, handler: Any, findings: SectionReader) -> None:
        super().__init__(handler)
        self._findings = findings
        self._number = 0

    def handleHeader(self, lineno: int, args: list[str]) -> None:
        """Read the options of the section."""
        self._number = lineno
        self.handler.packages.seen = True  # even if its options are not accepted
        before = self._options()
        with self._findings.reporting(lineno, "%packages"):
            super().handleHeader(lineno, args)
            parser = self._getParser()
            given = given_options(parser, args[1:])
            for dest in (*_PACKAGE_OPTIONS, "instLangs"):
                given.pop(dest, None)
            self._findings.refuse_options(lineno, args, parser, given)
        for option in sorted(before - self._options()):
            self._findings.note(lineno, f"%packages: {option} of an earlier section is ignored, as in Anaconda")

    def handleLine(self, line: str) -> None:
        """Add one package, group or exclusion."""
        self._number += 1
        entry = line.partition("#")[0].strip()
        if not entry:
            return
        problem = self._wrong_entry(entry)
        if problem:
            self._findings.refuse(self._number, f"%packages: {entry}: {problem}")
            return
        with self._findings.reporting(self._number, "%packages"):
            super().handleLine(entry)

    def _options(self) -> set[str]:
        packages = self.handler.packages
        values = {"excludedocs": packages.excludeDocs, "nocore": packages.nocore}
        values["excludeWeakdeps"] = packages.excludeWeakdeps
        return {_PACKAGE_OPTIONS[dest] for dest, value in values.items() if value}

    def _wrong_entry(self, entry: str) -> str:
        name = entry.removeprefix("-").removeprefix("@").removeprefix("^")
        if not re.fullmatch(r"[^\s@%-]\S*", name):
            return "must be one package or one @group, without options"
        packages = self.handler.packages
        if entry.startswith("-@^"):
            return "" if packages.environment == name else "removes an environment that no earlier line adds"
        if entry.startswith("-@") and name not in [group.name for group in packages.groupList]:
            return "removes a group that no earlier line adds" + ("; use --nocore" if name == "core" else "")
        return ""


class PostSection(PostScriptSection):  # type: ignore[misc]
    """``%post``; checks its options."""

    def __init__(self, handler: Any, findings: SectionReader) -> None:
        super().__init__(handler, dataObj=Script)
        self._findings = findings

    def handleHeader(self, lineno: int, args: list[str]) -> None:
        """Read the options of the script."""
        with self._findings.reporting(lineno, "%post"):
            super().handleHeader(lineno, args)
            parser = self._getParser()
            given = given_options(parser, args[1:])
            given.pop("errorOnFail", None)
            if not re.fullmatch(r"/\S+", given.pop("interpreter", "/bin/sh")):
                self._findings.refuse(lineno, "%post --interpreter: must be the path of a program in the tree")
            self._findings.refuse_options(lineno, args, parser, given)


def _option_name(parser: Any, dest: str, words: Sequence[str]) -> str:
    names = [name for action in parser._actions if action.dest == dest for name in action.option_strings]
    written = [name for name in names if any(word == name or word.startswith(f"{name}=") for word in words)]
    return next(iter([*written, *names]), dest)


def _one_line(text: str) -> str:
    return " ".join(str(text).split())


def _deprecation(text: str) -> str:
    """pykickstart's warning in short, without its line number, which is not that of the file."""
    option = re.search(r"(?<!\S)--[A-Za-z0-9-]+", text)
    if option:
        return f"{option[0]} is deprecated in this kickstart version"
    return re.sub(r" on line \d+|(?<=\.) .*", "", _one_line(text))
