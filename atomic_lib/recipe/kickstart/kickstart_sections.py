"""The supported sections of a kickstart, ``%packages`` and ``%post``: pykickstart's classes with stricter checks.

Values of pykickstart are typed as Any, because it has no type annotations.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pykickstart import constants  # type: ignore[import-untyped]
from pykickstart.errors import KickstartDeprecationWarning, KickstartError  # type: ignore[import-untyped]
from pykickstart.parser import Script  # type: ignore[import-untyped]
from pykickstart.sections import PackageSection, PostScriptSection  # type: ignore[import-untyped]

from atomic_lib.recipe.kickstart.kickstart_accounts import Options
from atomic_lib.recipe.kickstart.kickstart_lines import Line, Problem, Sections
from atomic_lib.recipe.kickstart.kickstart_reasons import COMMAND_OPTION_REASONS, OPTION_NOTES, OPTION_REASONS
from atomic_lib.recipe.source import printable

NOCHROOT_NOTE = (
    "%post --nochroot runs among the workbook's tools, with the tree at $ANA_INSTALL_PATH, /mnt/sysroot and "
    "/mnt/sysimage; it sees no other files of the machine, and cannot mount or unmount"
)
_PACKAGE = r"[^\s@%\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]*"
_PACKAGE_OPTIONS = {"excludedocs": "--excludedocs", "nocore": "--nocore", "excludeWeakdeps": "--exclude-weakdeps"}


class SectionReader:
    """Collects problems and notes; lines are identified by their number in the text that pykickstart reads (from 1)."""

    def __init__(self, sections: Sections) -> None:
        self._lines = sections.kept
        self.problems = list(sections.problems)
        self._notes: list[tuple[Line, str]] = list(sections.without_effect)
        self.syntax_errors: dict[str, Problem] = {}
        """By command or section, the first problem that another version of the syntax might not have."""

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes, each with its file without the directory: so they are the same in every checkout."""
        return tuple(printable(f"{line.path.name}:{line.number}: {text}") for line, text in self._notes)

    def location(self, number: int) -> str:
        """``FILE:LINE`` of the line with this number."""
        return self._lines[number - 1].location

    def refuse(self, number: int, message: str, hint: str = "") -> None:
        """Add a problem."""
        self.problems.append(Problem(self.location(number), message, hint))

    def note(self, number: int, text: str) -> None:
        """Add a note to a line."""
        self._notes.append((self._lines[number - 1], text))

    @contextmanager
    def reporting(self, number: int, what: str) -> Iterator[None]:
        """In this block, turn pykickstart's errors into problems and its deprecation warnings into notes."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield
            except KickstartError as error:
                self.refuse(number, f"{what}: {_one_line(error.message)}")
                self.syntax_errors.setdefault(what, self.problems[-1])
            except ValueError as error:  # pykickstart converts some values without a check, such as raid --device=md_a
                self.refuse(number, f"{what}: {_one_line(str(error))}")
                self.syntax_errors.setdefault(what, self.problems[-1])
        for warning in caught:
            if issubclass(warning.category, KickstartDeprecationWarning):
                self.note(number, f"{what}: {_deprecation(str(warning.message))}")

    def report_options(self, number: int, words: Sequence[str], parser: Any, given: Options) -> None:
        """Add a note or a problem for each remaining option; ``words`` is the line, its command or section first."""
        command = "part" if words[0] == "partition" else words[0]
        for dest in given:
            name = _option_name(parser, dest, words)
            if note := OPTION_NOTES.get((command, dest)):
                self.note(number, f"{words[0]} {name} has no effect: {note}")
                continue
            reason = OPTION_REASONS.get((command, dest)) or COMMAND_OPTION_REASONS.get(command)
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
            self._findings.report_options(lineno, args, parser, given)
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
        before = len(self.handler.packages.groupList)
        with self._findings.reporting(self._number, "%packages"):
            super().handleLine(entry)
        added = {group.name for group in self.handler.packages.groupList[before:]}
        if again := sorted(added & {group.name for group in self.handler.packages.excludedGroupList}):
            text = f"%packages: {entry}: not installed, because an earlier line removes {', '.join(again)}"
            self._findings.note(self._number, text)

    def _options(self) -> set[str]:
        packages = self.handler.packages
        values = {"excludedocs": packages.excludeDocs, "nocore": packages.nocore}
        values["excludeWeakdeps"] = packages.excludeWeakdeps
        return {_PACKAGE_OPTIONS[dest] for dest, value in values.items() if value}

    def _wrong_entry(self, entry: str) -> str:
        group = re.match(r"-?@\^?", entry)
        name = entry[group.end() :] if group else entry.removeprefix("-")
        if not group:
            return "" if re.fullmatch(_PACKAGE, name) else "must be one package or one @group"
        if entry.startswith("-") and re.match(r"\s", name):
            return "Anaconda would not find a group whose name begins with a space"
        if not re.fullmatch(r"\s*[^\s@%\x00-\x1f\x7f-][^\x00-\x1f\x7f]*", name):
            return "must be one package or one @group"
        if re.search("[:/]", name):
            return "module streams are not supported: name the packages"
        if "^" in group[0] and "--" in name:
            return "an environment has no options"
        return ""


def group_words(packages: Any) -> tuple[str, ...]:
    """The groups of ``%packages`` as a recipe has them.

    As for dnf, which Anaconda uses, a group with a minus is installed neither for itself nor for an environment.
    """
    unwanted = {group.name for group in packages.excludedGroupList}
    options = {constants.GROUP_REQUIRED: " --nodefaults", constants.GROUP_ALL: " --optional"}
    groups = [f"{one.name}{options.get(one.include, '')}" for one in packages.groupList if one.name not in unwanted]
    core = [] if packages.nocore or "core" in (*unwanted, *(one.name for one in packages.groupList)) else ["core"]
    environment = [f"^{packages.environment}"] if packages.environment else []
    without = {*unwanted, "core"} if packages.nocore else unwanted  # as in Anaconda, for an environment too
    minus = [f"-{name}" for name in sorted(without)] if environment else []
    return (*core, *environment, *groups, *minus)


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
            if given.pop("nochroot", False):
                self._findings.note(lineno, NOCHROOT_NOTE)
            if not re.fullmatch(r"/\S+", given.pop("interpreter", "/bin/sh")):
                self._findings.refuse(lineno, "%post --interpreter: must be the path of a program")
            self._findings.report_options(lineno, args, parser, given)


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
