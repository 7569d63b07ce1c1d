"""Reads kickstarts as Anaconda reads them, with pykickstart.

Whatever is not supported is an error naming file and line; what has no effect is accepted with a
note. Options and their meaning are pykickstart's, whose values are typed as Any because it has no
type annotations.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pykickstart.errors import KickstartError  # type: ignore[import-untyped]
from pykickstart.handlers.control import commandMap  # type: ignore[import-untyped]
from pykickstart.parser import KickstartParser, PutBackIterator  # type: ignore[import-untyped]

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart.kickstart_accounts import RefusedError
from atomic_lib.recipe.kickstart.kickstart_commands import COMMANDS, DEFAULT_FIREWALL, absent_services, with_ssh
from atomic_lib.recipe.kickstart.kickstart_lines import Line, Problem, Sections, read_lines, split_off_sections
from atomic_lib.recipe.kickstart.kickstart_ostree import without_packages
from atomic_lib.recipe.kickstart.kickstart_reasons import COMMAND_REASONS, NO_EFFECT
from atomic_lib.recipe.kickstart.kickstart_repositories import with_base
from atomic_lib.recipe.kickstart.kickstart_sections import (
    PackagesSection,
    PostSection,
    SectionReader,
    given_options,
    group_words,
)
from atomic_lib.recipe.kickstart.kickstart_versions import (
    ends_required,
    handler_class,
    named_version,
    other_versions,
)
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.recipe.source import printable
from atomic_lib.recipe.treefile_keys import LANGUAGE

_COMMANDS_HINT = f"accepted commands: {', '.join(sorted({*COMMANDS, *NO_EFFECT}))}"


def read_kickstart(path: Path, version: str, roots: Sequence[Path] = ()) -> Recipe:
    """The recipe in a kickstart and its includes; ``version`` is the syntax version, such as "F41".

    A line ``#version=`` of the kickstart itself takes the place of ``version``. Without one, or with a name that
    pykickstart does not know, a kickstart that the syntax of ``version`` does not accept is read with that of the
    newest version that accepts it; a note says so.
    Includes must be below one of ``roots`` (without any: below the directory of ``path``).

    A kickstart needs ``%packages`` or ``ostreesetup``. Without ``--nocore`` the group "core" is added, as in Anaconda.
    The options of the last ``%packages`` apply, and an option of a later line of a command replaces that of an earlier
    one.

    Raises WorkbookError naming file and line for a missing file, an include cycle, a syntax error,
    and every command, option or section that is not supported.
    """
    try:
        return _read_kickstart(path, version, roots)
    except WorkbookError as error:
        raise WorkbookError(printable(error.message), hint=printable(error.hint)) from None


def _read_kickstart(path: Path, version: str, roots: Sequence[Path]) -> Recipe:
    every_line, files = read_lines(path, roots)
    return _recipe_of(tuple(every_line), files, path, version)


@lru_cache(maxsize=32)  # a run reads each recipe several times
def _recipe_of(every_line: tuple[Line, ...], files: tuple[Path, ...], path: Path, version: str) -> Recipe:
    named, notes = named_version(line for line in every_line if line.path == path)
    sections = split_off_sections(every_line, ends_required=ends_required(named or version))
    reading = _read(sections, named or version, path)
    if reading.findings.syntax_errors and not named:
        reading, why = _best_reading(reading, sections, path)
        notes = (*notes, *why)
    problems = reading.findings.problems
    if problems:
        text = "\n".join(f"{problem.location}: {problem.message}" for problem in problems)
        hints = dict.fromkeys(problem.hint for problem in problems if problem.hint)
        raise WorkbookError(text, hint="; ".join(hints) or "correct these lines and run again")
    recipe = replace(reading.recipe, files=files, notes=(*notes, *reading.findings.notes))
    return _with_sections(recipe, reading.handler, reading.findings)


@dataclass(frozen=True)
class _Reading:
    """A kickstart as one version of the syntax has it."""

    version: str
    recipe: Recipe
    handler: Any
    findings: SectionReader


def _best_reading(first: _Reading, sections: Sections, path: Path) -> tuple[_Reading, tuple[str, ...]]:
    """The reading with the newest version that accepts all, with a note; without one, that with the fewest errors."""
    errors = first.findings.syntax_errors
    readings = [first]
    for name in other_versions(first.version, errors):
        readings.append(_read(sections, name, path))
        if not readings[-1].findings.syntax_errors:
            break
    best = min(readings, key=lambda one: len(one.findings.syntax_errors))
    if best is first:
        return first, ()
    problem = next(iter(errors.values()))
    place, _, number = problem.location.rpartition(":")
    return best, (f"{Path(place).name}:{number}: read with the kickstart syntax of {best.version}, because that of "
                  f"{first.version} does not accept: {problem.message}",)  # fmt: skip


def _read(sections: Sections, version: str, path: Path) -> _Reading:
    version_class = handler_class(version)
    commands = commandMap[version_class.version]
    # To make all commands takes most of the time of reading a kickstart, so the parser adds those that it meets.
    handler = version_class(mapping={"firewall": commands["firewall"]})
    findings = SectionReader(sections)
    parser = _Parser(handler, commands, findings)
    try:
        parser.read_lines([line.text for line in sections.kept])
    except KickstartError as error:
        raise WorkbookError(f"{findings.location(error.lineno or 1)}: {error.message}") from None
    if not handler.packages.seen and "ostreesetup" not in handler.commands:
        text = "no %packages section and no ostreesetup, here or in an included file"
        findings.problems.append(Problem(str(path), text))
    return _Reading(version, parser.recipe, handler, findings)


class _Parser(KickstartParser):  # type: ignore[misc]
    """pykickstart's parser with our rules for each command and section."""

    def __init__(self, handler: Any, commands: Mapping[str, type], findings: SectionReader) -> None:
        """``commands``: those of the version, which ``handler`` gets as they are met."""
        self.recipe = Recipe(files=(), packages=())
        self._commands, self._findings = commands, findings
        super().__init__(handler)

    def setupSections(self) -> None:
        """Register the supported sections only; ``split_off_sections`` has removed the others."""
        self._sections: dict[str, Any] = {}
        self.registerSection(PackagesSection(self.handler, self._findings))
        self.registerSection(PostSection(self.handler, self._findings))

    def read_lines(self, texts: Sequence[str]) -> None:
        """Read a kickstart; unlike ``readKickstartFromString``, this ends lines at line feeds only."""
        self._reset()
        self._stateMachine(PutBackIterator([*texts, ""]))

    def handleCommand(self, lineno: int, args: list[str]) -> None:
        """Let pykickstart check the line, then apply it to the recipe."""
        command = args[0]
        if command not in COMMANDS and command not in NO_EFFECT:
            reason = COMMAND_REASONS.get(command, "no command of a kickstart has this name")
            self._findings.refuse(lineno, f"command {command!r} is not supported: {reason}", _COMMANDS_HINT)
            return
        with self._findings.reporting(lineno, command):
            if command in self._commands and command not in self.handler.commands:
                self.handler.registerCommand(command, self._commands[command])
            super().handleCommand(lineno, args)
            if command in NO_EFFECT:
                self._findings.note(lineno, f"{command} has no effect: {NO_EFFECT[command]}")
            else:
                self._apply(lineno, args)

    def _apply(self, lineno: int, args: list[str]) -> None:
        option_parser = getattr(self.handler.commands[args[0]], "op", None)  # some old commands have no options
        given = given_options(option_parser, args[1:]) if option_parser else {}
        known_notes = len(self.recipe.notes)
        try:
            self.recipe = COMMANDS[args[0]](self.recipe, given)
        except RefusedError as error:
            self._findings.refuse(lineno, f"{args[0]}: {error}")
            return
        place = self._findings.location(lineno)
        brought = tuple(replace(one, source=one.source or place) for one in self.recipe.repositories)
        commit = self.recipe.ostree_source
        commit = replace(commit, source=commit.source or place) if commit else None
        self.recipe = replace(self.recipe, repositories=brought, ostree_source=commit)
        for note in self.recipe.notes[known_notes:]:
            self._findings.note(lineno, note)
        self._findings.report_options(lineno, args, option_parser, given)


def _with_sections(recipe: Recipe, handler: Any, findings: SectionReader) -> Recipe:
    packages = handler.packages
    languages = None if packages.instLangs is None else tuple(filter(None, re.split("[:,]", packages.instLangs)))
    wrong = [language for language in languages or () if not LANGUAGE.fullmatch(language)]
    if wrong:
        raise WorkbookError(
            f"{recipe.files[0]}: %packages --inst-langs: {wrong[0]!r} is not a language, such as en",
            hint="separate languages by commas or colons",
        )
    scripts = [
        PostScript(
            script.script,
            script.interp,
            script.errorOnFail,
            findings.location(script.lineno),
            in_tree=script.inChroot,
        )
        for script in handler.scripts
    ]
    enabled = recipe.enabled_units
    disabled = [unit for unit in (*recipe.disabled_units, *absent_services(handler)) if unit not in enabled]
    read = replace(
        with_base(recipe),
        disabled_units=tuple(dict.fromkeys(disabled)),
        default_target=Recipe.default_target if "skipx" in handler.commands else recipe.default_target,
        packages=tuple(packages.packageList),
        groups=group_words(packages),
        excludes=tuple(packages.excludedList),
        documentation=not packages.excludeDocs,
        firewall=with_ssh(recipe.firewall) if handler.commands["firewall"].seen else DEFAULT_FIREWALL,
        weak_dependencies=not packages.excludeWeakdeps,
        languages=languages,
        post_scripts=tuple(scripts),
        kernel_arguments=recipe.kernel_arguments or "",
    )
    return without_packages(read, packages_seen=packages.seen) if read.ostree_source else read
