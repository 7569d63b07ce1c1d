"""Compares owner, group, mode and capabilities of all files in an installroot with its RPM database.

rpm installs a file whose owner does not exist as root's, with a warning and without its set-uid bits, and
``rpm --verify`` then finds nothing wrong. A file whose owner a later scriptlet creates stays root's too.

Not compared, because the package or the recipe says that they vary: what ``%verify(not user group mode caps)``
excludes, ``%ghost`` files, files that were not installed or are gone. A path of several packages, such as a
directory, may be as any of them says.
"""

import json
import stat
from dataclasses import dataclass
from typing import TypedDict

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.rpm_database import run_program
from atomic_lib.compose.tree_access.beneath import shown

_SHOWN = 10


class AttributeDifference(TypedDict):
    """A file that is not as its package says: ``what`` differs. Owners are ``USER:GROUP``, in the tree as numbers.

    ``lost``: it is less than the package says, as after rpm's own fallback. Otherwise a scriptlet gave it away.
    """

    package: str
    path: str
    what: list[str]
    lost: bool
    packaged_owner: str
    packaged_mode: int
    packaged_capabilities: str
    owner: str
    mode: int
    capabilities: str


@dataclass(frozen=True)
class ChangedFile:
    """A file that a scriptlet changed: its path, what differs from its package, and a line that says so."""

    path: str
    what: tuple[str, ...]
    text: str


def require_attributes(tree: Installroot) -> list[ChangedFile]:
    """Raise WorkbookError with a line for each file that lost the owner, group, mode or capabilities of its package.

    Files in /dev, /proc and /sys are refused, too: no booted system sees them.

    Returns the other differences, which are accepted: scriptlets give files to other owners, and change permissions.
    """
    differences: list[AttributeDifference] = json.loads(run_program(tree, "compare_attributes"))
    lines, changed = [], []
    for difference in differences:
        if difference["lost"]:
            lines.append(_line(difference))
        else:
            text = f"{_line(difference)}; accepted: a scriptlet changed it"
            changed.append(ChangedFile(difference["path"], tuple(difference["what"]), text))
            say(f"! {text}")
    if lines:
        more = [f"and {len(lines) - _SHOWN} more files"] if len(lines) > _SHOWN else []
        raise WorkbookError(
            "\n".join([*lines[:_SHOWN], *more]),
            hint="an owner must exist before its file is installed: correct the package that should create it; "
            "or leave the package of the file out",
        )
    return changed


def _line(difference: AttributeDifference) -> str:
    if difference["what"] == ["hidden"]:
        place = difference["path"].split("/")[1]
        return (
            f"{difference['package']}: {shown(difference['path'])}: no booted system sees it: /{place} is the kernel's"
        )
    verb = "differs" if difference["what"] in (["owner"], ["group"], ["mode"]) else "differ"
    sides = []
    for who, prefix in (("the package has", "packaged_"), ("the tree", "")):
        values = (difference[f"{prefix}owner"], difference[f"{prefix}mode"], difference[f"{prefix}capabilities"])  # type: ignore[literal-required]
        sides.append(f"{who} {values[0]} {stat.S_IMODE(int(values[1])):04o} {values[2]}".rstrip())
    what = " and ".join(difference["what"])
    return f"{difference['package']}: {shown(difference['path'])}: {what} {verb}: {', '.join(sides)}"
