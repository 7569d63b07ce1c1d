"""What an update changes, as it is named: parts of a treefile, the kernel, or the packages of a lock."""

from collections.abc import Sequence
from dataclasses import dataclass

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, PARAMS_DIRECTORY

PART = "update-"
KERNEL = "kernel"
_LOCK, _FROM = "lock:", "from:"
_OF_VERSION = {_FROM: "version 1", _LOCK: "version 2"}


@dataclass(frozen=True)
class VersionChanges:
    """What the versions differ in.

    ``parts``: the names of the parts that version 2 has more. ``lock``: the lock file that its packages are from;
    "": as version 1. ``first_lock``: that of version 1, of which version 2 has nothing then. ``older_kernel``: whether
    version 1 has the kernel before the newest. Paths are relative to the checkout.
    """

    parts: tuple[str, ...]
    lock: str = ""
    first_lock: str = ""
    older_kernel: bool = False


def named_changes(changes: str) -> VersionChanges:
    """The changes, whose names are separated by spaces.

    Raises WorkbookError for an unknown one, for a lock that is not there or not the only one of its version, for a
    kernel beside the packages of version 1, and if there are none.
    """
    known, named = known_changes(), changes.split()
    hint = f"one or more of: {', '.join(known)}, {KERNEL}, {_LOCK}FILE, {_FROM}FILE"
    parts = tuple(name for name in named if name != KERNEL and not name.startswith((_LOCK, _FROM)))
    for name in parts:
        if name not in known:
            raise WorkbookError(f"{name}: no such change for version 2", hint=hint)
    lock, first_lock = (_lock_of(named, prefix) for prefix in (_LOCK, _FROM))
    if KERNEL in named and first_lock:
        raise WorkbookError(
            f"{KERNEL}: version 1 has the kernel of {first_lock}", hint=f"leave out {KERNEL} or {_FROM}{first_lock}"
        )
    if not named:
        raise WorkbookError("version 2 must differ from version 1", hint=hint)
    return VersionChanges(parts, lock, first_lock, KERNEL in named)


def _lock_of(named: Sequence[str], prefix: str) -> str:
    """The lock file with this prefix; "": none."""
    locks = [name.removeprefix(prefix) for name in named if name.startswith(prefix)]
    for file in locks:
        if not (CHECKOUT / file).is_file():
            raise WorkbookError(
                f"{prefix}{file}: no such file",
                hint="a lock.json of a run, or a lockfile of rpm-ostree, in the checkout",
            )
    if len(locks) > 1:
        raise WorkbookError(
            f"{' '.join(locks)}: {_OF_VERSION[prefix]} has the packages of one lock", hint="name one of them"
        )
    return locks[0] if locks else ""


def known_changes() -> list[str]:
    """The parts that a version 2 can have more: ``params/treefiles/parts/update-NAME.yaml``."""
    files = sorted((PARAMS_DIRECTORY / "treefiles/parts").glob(f"{PART}*.yaml"))
    return [file.stem.removeprefix(PART) for file in files]
