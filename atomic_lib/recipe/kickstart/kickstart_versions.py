"""The versions of the kickstart syntax: which one a kickstart names, and which others may read it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pykickstart.errors import KickstartVersionError  # type: ignore[import-untyped]
from pykickstart.handlers.control import commandMap  # type: ignore[import-untyped]
from pykickstart.version import returnClassForVersion, versionMap  # type: ignore[import-untyped]

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart.kickstart_lines import Line
from atomic_lib.recipe.source import printable

_VERSION = "#version="


def named_version(lines: Iterable[Line]) -> tuple[str, tuple[str, ...]]:
    """The version in the first ``#version=`` line; empty if there is none, or one that names no release (DEVEL).

    Anaconda does not read the line, and installers of other systems name themselves there: then there is a note.
    """
    line = next((line for line in lines if line.text.startswith(_VERSION)), None)
    named = line.text.removeprefix(_VERSION).strip() if line else ""
    if not line or named.upper() in ("", "DEVEL"):
        return "", ()
    try:
        returnClassForVersion(named)
    except KickstartVersionError:
        note = f"{_VERSION}{named} has no effect: no version of the kickstart syntax has this name"
        return "", (printable(f"{line.path.name}:{line.number}: {note}"),)
    return named, ()


def handler_class(version: str) -> Any:
    """pykickstart's class of handlers for a version."""
    try:
        return returnClassForVersion(version)
    except KickstartVersionError:
        raise WorkbookError(
            f"kickstart_version: {version!r} is not a kickstart syntax version",
            hint=f"for example {', '.join(_newest_first('F')[:3])}, RHEL9 or F21",
        ) from None


def ends_required(version: str) -> bool:
    """Whether sections must have ``%end`` in a version, as from Fedora 8 on."""
    return bool(handler_class(version).version >= versionMap["F8"])


def other_versions(version: str, words: Iterable[str]) -> Iterator[str]:
    """The other versions, of Fedora, then of RHEL, the newest first, that may read these commands or sections.

    Of several versions that have the same rules for them, only the newest is named.
    """
    tried = {_rules(version.upper(), words)}
    for name in (*_newest_first("F"), *_newest_first("RHEL")):
        rules = _rules(name, words)
        if rules not in tried:
            tried.add(rules)
            yield name


def _rules(version: str, words: Iterable[str]) -> tuple[object, ...]:
    """What the rules of a version for commands and sections are; sections depend on the version itself."""
    commands = commandMap.get(versionMap.get(version), {})
    return tuple(version if word.startswith("%") else commands.get(word) for word in words)


def _newest_first(kind: str) -> list[str]:
    numbers = [int(found[1]) for name in versionMap if (found := re.fullmatch(rf"{kind}(\d+)", name))]
    return [f"{kind}{number}" for number in sorted(numbers, reverse=True) if kind != "F" or number >= 8]
