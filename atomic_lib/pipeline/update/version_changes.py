"""What version 2 of an update changes, as it is named: parts of a treefile, or the packages of a lock."""

from dataclasses import dataclass

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, PARAMS_DIRECTORY

PART = "update-"
_LOCK, _LOCK_FORM = "lock:", "lock:FILE"


@dataclass(frozen=True)
class VersionChanges:
    """The names of the parts that version 2 has more, and the lock file that its packages are from; "": as version 1.

    The path of the lock is relative to the checkout.
    """

    parts: tuple[str, ...]
    lock: str = ""


def named_changes(changes: str) -> VersionChanges:
    """The changes, whose names are separated by spaces.

    Raises WorkbookError for an unknown one, for a lock that is not there or not the only one, and if there are none.
    """
    known, named = known_changes(), changes.split()
    hint = f"one or more of: {', '.join(known)}, {_LOCK_FORM}"
    locks = [name.removeprefix(_LOCK) for name in named if name.startswith(_LOCK)]
    parts = tuple(name for name in named if not name.startswith(_LOCK))
    for name in parts:
        if name not in known:
            raise WorkbookError(f"{name}: no such change for version 2", hint=hint)
    for file in locks:
        if not (CHECKOUT / file).is_file():
            raise WorkbookError(
                f"{_LOCK}{file}: no such file",
                hint="a lock.json of a run, or a lockfile of rpm-ostree, in the checkout",
            )
    if len(locks) > 1:
        raise WorkbookError(f"{' '.join(locks)}: version 2 has the packages of one lock", hint="name one of them")
    if not named:
        raise WorkbookError("version 2 must differ from version 1", hint=hint)
    return VersionChanges(parts, locks[0] if locks else "")


def known_changes() -> list[str]:
    """The parts that a version 2 can have more: ``params/treefiles/parts/update-NAME.yaml``."""
    files = sorted((PARAMS_DIRECTORY / "treefiles/parts").glob(f"{PART}*.yaml"))
    return [file.stem.removeprefix(PART) for file in files]
