"""What packages require, provide and contain, as a running dnf describes them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atomic_lib.base.command import CommandError
from atomic_lib.solve.explain.graph import Package

_DEPENDENCIES = ("requires", "provides", "recommends", "supplements", "files")


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
class Described:
    """A package: its summary, its dependencies and files, and what only the header of its RPM file says.

    ``content_bytes``: the size of its files, hard links once, symbolic links by their targets, as in the tree.
    ``documentation_bytes``: that of the files among them that ``tsflags=nodocs`` leaves out. Both and ``rights`` are
    None for a package whose file is not on this machine.
    """

    package: Package
    summary: str
    content_bytes: int | None
    documentation_bytes: int | None
    rights: tuple[Rights, ...] | None


def read_described(text: str) -> dict[str, Described]:
    """The packages by NEVRA; raises CommandError if the text is not what the plugin writes."""
    try:
        return {str(nevra): _described(entry) for nevra, entry in json.loads(text).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"dnf: packages cannot be described: {error}") from None


def _described(entry: Mapping[str, Any]) -> Described:
    fields = {name: frozenset(map(str, entry[name])) for name in _DEPENDENCIES}
    rights = entry["rights"]
    return Described(
        package=Package(str(entry["name"]), **fields),
        summary=str(entry["summary"]),
        content_bytes=entry["content_bytes"],
        documentation_bytes=entry["documentation_bytes"],
        rights=None if rights is None else tuple(Rights(*row) for row in rights),
    )
