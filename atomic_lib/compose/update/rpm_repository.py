"""The repository of packages that a web server has: those of both versions, and their signed index."""

import os
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.files import copy_file
from atomic_lib.base.stage import Stage
from atomic_lib.content.signing import KEY_FILE, index_and_sign
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context

REPOSITORY = "updates"
"""The id of the repository; its index is signed with the key that derives from it."""
_SERVED, _KEYS = "served", "keys"


@dataclass(frozen=True)
class RpmSets:
    """The packages of both versions; ``name`` is for messages."""

    name: str
    before: RpmSet
    after: RpmSet


@dataclass(frozen=True)
class RpmRepository:
    """The directory to serve, and the public keys that a client needs: of the index, and of the packages."""

    served: Path
    keys: tuple[str, ...]


def rpm_repository(sets: RpmSets, context: Context) -> RpmRepository:
    """The repository that serves the packages of both versions; made first if it is not in the store."""
    path = UPDATE_RPMS.get(sets, context).path
    files = [path / _SERVED / KEY_FILE, *sorted((path / _KEYS).iterdir())]
    return RpmRepository(path / _SERVED, tuple(file.read_text() for file in files))


def _inputs(sets: RpmSets, _: Context) -> dict[str, object]:
    return {"rpm_sets": [sets.before.key, sets.after.key], "repository": REPOSITORY}


def _make(sets: RpmSets, context: Context, directory: Path) -> None:
    served, keys = directory / _SERVED, directory / _KEYS
    served.mkdir()
    keys.mkdir()
    for one in (sets.before, sets.after):
        for rpm in one.directory.glob("*.rpm"):
            if not (served / rpm.name).exists():
                os.link(rpm, served / rpm.name)
        for key in one.keys.iterdir():
            copy_file(key, keys / key.name)
    index_and_sign(context.tools, served, REPOSITORY)


UPDATE_RPMS = Stage(
    "update-rpms",
    _make,
    _inputs,
    title=lambda sets: f"{sets.name}: the repository of both versions",
    space_bytes=500_000_000,
)
