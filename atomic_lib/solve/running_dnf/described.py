"""What packages require, provide and contain, as a running dnf describes them."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from atomic_lib.base.command import CommandError
from atomic_lib.solve.explain.graph import Package

_DEPENDENCIES = ("requires", "provides", "recommends", "supplements", "files")


ALL_LANGUAGES = "all"
"""The language of %_install_langs that leaves out none."""


@dataclass(frozen=True)
class Rights:
    """A path of a package that everybody may write, or that gives whoever runs it more rights.

    ``mode``: the permission bits, set-uid, set-gid and sticky among them. ``owners``: ``USER:GROUP``.
    """

    path: str
    mode: int
    kind: str
    owners: str
    capabilities: str


@dataclass(frozen=True)
class FilesTogether:
    """Files of a package that are installed or left out together: their size, hard links once, links by their targets.

    ``documentation``: ``tsflags=nodocs`` leaves them out. ``languages``: those of ``%lang``, joined by ``|``; "" for
    files of no language.
    """

    documentation: bool
    languages: str
    size_bytes: int

    def is_installed(self, documentation: bool, languages: Collection[str] | None) -> bool:
        """Whether they are, with or without documentation, in some languages (None: all).

        Source: ``skipFiles`` in rpm's lib/transaction.c: a language of the files is the beginning of one installed.
        """
        if self.documentation and not documentation:
            return False
        if languages is None or ALL_LANGUAGES in languages or not self.languages:
            return True
        own = tuple(filter(None, self.languages.split("|")))
        return any(language.startswith(own) for language in languages)


@dataclass(frozen=True)
class Described:
    """A package: its summary, its dependencies and files, and what only the header of its RPM file says.

    ``content`` and ``rights`` are None for a package whose file is not on this machine.
    """

    package: Package
    summary: str
    content: tuple[FilesTogether, ...] | None
    rights: tuple[Rights, ...] | None


def read_described(text: str) -> dict[str, Described]:
    """The packages by NEVRA; raises CommandError if the text is not what the plugin writes."""
    try:
        return {str(nevra): _described(entry) for nevra, entry in json.loads(text).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"dnf: packages cannot be described: {error}") from None


def _described(entry: Mapping[str, Any]) -> Described:
    fields = {name: frozenset(map(str, entry[name])) for name in _DEPENDENCIES}
    rights, content = entry["rights"], entry["content"]
    return Described(
        package=Package(str(entry["name"]), **fields),
        summary=str(entry["summary"]),
        content=None if content is None else tuple(FilesTogether(*row) for row in content),
        rights=None if rights is None else tuple(Rights(*row) for row in rights),
    )
