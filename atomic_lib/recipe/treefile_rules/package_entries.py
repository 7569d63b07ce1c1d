"""The names in the entries of a list of packages, and in a kickstart that a treefile includes."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.source import lines_of

_DEEPEST = 50


def names_in(entry: str) -> list[str]:
    """The names in an entry, which are separated by spaces.

    A part in single quotes, anywhere in the entry, is one name; it can be a requirement with a version
    (``bash 'podman >= 4.1'``). Raises WorkbookError, without the name of the file, for a missing quote.
    """
    names: list[str] = []
    parts = entry.split("'")
    if len(parts) % 2 == 0:
        raise WorkbookError(f"{entry!r}: a single quote is missing", hint="quotes enclose a name: 'podman >= 4.1'")
    for number, part in enumerate(parts):
        names += [part] if number % 2 else part.split()
    return names


@dataclass
class KickstartPackages:
    """The packages of a kickstart, and whether they come without weak dependencies."""

    packages: list[str] = field(default_factory=list)
    excludes: list[str] = field(default_factory=list)
    exclude_weak_dependencies: bool = False
    problems: list[tuple[str, str]] = field(default_factory=list)
    """The location and the text of each."""
    depth: int = 0
    """How many files include the one that is read."""
    errors: list[WorkbookError] = field(default_factory=list)
    """Those of files that it includes and that cannot be read."""


def read_kickstart_packages(path: Path, read: Callable[[Path, str], str]) -> KickstartPackages:
    """The packages of a kickstart by rpm-ostree's rules: ``%packages`` sections and ``%include`` lines, no others.

    Includes are relative to the directory of ``path``. ``read`` reads a file; its second argument (``FILE:LINE: ``)
    starts the errors that it raises, which are found for an included file, and raised for ``path`` itself.
    """
    found = KickstartPackages()
    _read(path, "", path.parent, read, found)
    return found


def _read(path: Path, prefix: str, top: Path, read: Callable[[Path, str], str], found: KickstartPackages) -> None:
    section = 0
    """The line where the section begins in which we are."""
    for number, line in enumerate(lines_of(read(path, prefix)), start=1):
        location = f"{path}:{number}"
        words = _words(line)
        if not words:
            continue
        if section and words == ["%end"]:
            section = 0
        elif section:
            _take(line.strip(), location, found)
        elif words[0] == "%packages":
            section = number
            found.exclude_weak_dependencies |= "--exclude-weakdeps" in words[1:]
            others = [word for word in words[1:] if word != "--exclude-weakdeps"]
            found.problems += [(location, f"%packages {word}: a treefile's kickstart has --exclude-weakdeps only")
                               for word in others]  # fmt: skip
        elif words[0] == "%include" and len(words) == 2:
            try:
                _include(top / words[1], f"{location}: %include: ", top, read, found)
            except WorkbookError as error:
                found.errors.append(error)
        else:
            found.problems.append((location, f"{words[0]}: a treefile's kickstart has %packages and %include only"))
    if section:
        found.problems.append((f"{path}:{section}", "%packages has no %end"))


def _include(path: Path, prefix: str, top: Path, read: Callable[[Path, str], str], found: KickstartPackages) -> None:
    if found.depth == _DEEPEST:
        raise WorkbookError(f"{prefix}includes are nested more than {_DEEPEST} levels deep", hint="include fewer files")
    found.depth += 1
    try:
        _read(path, prefix, top, read, found)
    finally:
        found.depth -= 1


def _words(line: str) -> list[str]:
    if line.startswith("#"):
        return []
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _take(name: str, location: str, found: KickstartPackages) -> None:
    bare = name.removeprefix("-")
    if bare.startswith("@") or len(bare.split()) != 1:
        found.problems.append((location, f"{name}: a treefile's kickstart has one package in a line, and no groups"))
    else:
        (found.excludes if name.startswith("-") else found.packages).append(bare)
