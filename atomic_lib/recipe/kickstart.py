"""Reads kickstarts with pykickstart; its syntax version is a parameter.

Whatever is not supported is an error naming file and line. Commands that only control
the installer are accepted with a note. Options and their meaning are pykickstart's, whose
values are typed as Any because it has no type annotations.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pykickstart.errors import KickstartError, KickstartVersionError  # type: ignore[import-untyped]
from pykickstart.parser import KickstartParser  # type: ignore[import-untyped]
from pykickstart.version import makeVersion, versionMap  # type: ignore[import-untyped]

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart_commands import COMMAND_REASONS, COMMANDS, INSTALLER_COMMANDS, Options, RefusedError
from atomic_lib.recipe.kickstart_lines import Problem, read_lines, split_off_refused
from atomic_lib.recipe.kickstart_sections import PackagesSection, PostSection, SectionReader, given_options
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.recipe.treefile_keys import LANGUAGE

_COMMANDS_HINT = f"accepted commands: {', '.join(sorted({*COMMANDS, *INSTALLER_COMMANDS}))}"


def read_kickstart(path: Path, version: str, roots: Sequence[Path] = ()) -> Recipe:
    """The recipe in a kickstart and its includes; ``version`` is the syntax version, such as "F41".

    Includes must be below one of ``roots`` (without any: below the directory of ``path``).

    Without ``--nocore`` the group "core" is added, as in Anaconda. The options of the last
    ``%packages`` apply, and a later line of a command overrides an earlier one, except that
    ``services`` lines add up.

    Raises WorkbookError naming file and line for a missing file, an include cycle, a syntax error,
    and every command, option or section that is not supported.
    """
    handler = _handler(version)
    every_line, files = read_lines(path, roots)
    lines, problems = split_off_refused(every_line)
    findings = SectionReader(lines, problems)
    parser = _Parser(handler, findings)
    try:
        parser.readKickstartFromString("".join(line.text for line in lines))
    except KickstartError as error:
        raise WorkbookError(f"{findings.location(error.lineno or 1)}: {error.message}") from None
    if not handler.packages.seen:
        findings.problems.append(Problem(str(path), "no %packages section, here or in an included file"))
    if findings.problems:
        text = "\n".join(f"{problem.location}: {problem.message}" for problem in findings.problems)
        hints = dict.fromkeys(problem.hint for problem in findings.problems if problem.hint)
        raise WorkbookError(text, hint="; ".join(hints) or "correct these lines and run again")
    return _with_sections(replace(parser.recipe, files=files), handler, findings)


class _Parser(KickstartParser):  # type: ignore[misc]
    """pykickstart's parser with our rules for each command and section."""

    def __init__(self, handler: Any, findings: SectionReader) -> None:
        self.recipe = Recipe(files=(), packages=())
        self._findings = findings
        super().__init__(handler)

    def setupSections(self) -> None:
        """Register the supported sections only; ``split_off_refused`` has removed the others."""
        self._sections: dict[str, Any] = {}
        self.registerSection(PackagesSection(self.handler, self._findings))
        self.registerSection(PostSection(self.handler, self._findings))

    def handleCommand(self, lineno: int, args: list[str]) -> None:
        """Let pykickstart check the line, then apply it to the recipe."""
        command = args[0]
        if command not in COMMANDS and command not in INSTALLER_COMMANDS:
            reason = COMMAND_REASONS.get(command)
            message = f"command {command!r} is not supported" + (f": {reason}" if reason else "")
            self._findings.refuse(lineno, message, _COMMANDS_HINT)
            return
        with self._findings.reporting(lineno, command):
            super().handleCommand(lineno, args)
            if command in INSTALLER_COMMANDS:
                self._findings.note(lineno, f"{command} has no effect: it only controls the installer")
            else:
                self._apply(lineno, args)

    def _apply(self, lineno: int, args: list[str]) -> None:
        option_parser = self.handler.commands[args[0]].op
        given = given_options(option_parser, args[1:])
        self._note_services(lineno, args[0], given)
        known_notes = len(self.recipe.notes)
        try:
            self.recipe = COMMANDS[args[0]](self.recipe, given)
        except RefusedError as error:
            self._findings.refuse(lineno, f"{args[0]}: {error}")
            return
        for note in self.recipe.notes[known_notes:]:
            self._findings.note(lineno, note)
        self._findings.refuse_options(lineno, args, option_parser, given)

    def _note_services(self, lineno: int, command: str, given: Options) -> None:
        already = {"enabled": self.recipe.enabled_units, "disabled": self.recipe.disabled_units}
        for dest in [dest for dest in given if command == "services" and already.get(dest)]:
            text = f"services --{dest}: added to the units of earlier lines; Anaconda would replace them"
            self._findings.note(lineno, text)


def _handler(version: str) -> Any:
    try:
        return makeVersion(version)
    except KickstartVersionError:
        newest = [name for name in versionMap if re.fullmatch(r"F\d+", name)][-3:]
        raise WorkbookError(
            f"kickstart_version: {version!r} is not a kickstart syntax version",
            hint=f"for example {', '.join(newest)}, RHEL9 or F21",
        ) from None


def _with_sections(recipe: Recipe, handler: Any, findings: SectionReader) -> Recipe:
    packages = handler.packages
    groups = [] if packages.nocore else ["core"]
    groups += [f"^{packages.environment}"] if packages.environment else []
    groups += [group.name for group in packages.groupList]
    languages = None if packages.instLangs is None else tuple(filter(None, re.split("[:,]", packages.instLangs)))
    wrong = [language for language in languages or () if not LANGUAGE.fullmatch(language)]
    if wrong:
        raise WorkbookError(f"{recipe.files[0]}: %packages --inst-langs: {wrong[0]!r} is not a language, such as en")
    scripts = [
        PostScript(script.script, script.interp, script.errorOnFail, findings.location(script.lineno))
        for script in handler.scripts
    ]
    return replace(
        recipe,
        packages=tuple(packages.packageList),
        groups=tuple(dict.fromkeys(groups)),
        excludes=tuple(packages.excludedList),
        documentation=not packages.excludeDocs,
        weak_dependencies=not packages.excludeWeakdeps,
        languages=languages,
        post_scripts=tuple(scripts),
        kernel_arguments=recipe.kernel_arguments or "",
        notes=tuple(findings.notes),
    )
