"""The subordinate ids of an ordinary user, and what else a host must have for its user namespaces: subuid(5)."""

import os
import pwd
import shutil
from pathlib import Path

from atomic_lib.base.errors import WorkbookError

ID_COUNT = 65536
"""How many user and group ids the namespace has: those of a whole system, with ``nobody`` (65534)."""

HOST = Path("/")
"""The root of the host's files."""

_SETTINGS = {
    "user.max_user_namespaces": ("0", "15000"),
    "kernel.unprivileged_userns_clone": ("0", "1"),
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
}
"""Settings with which a host refuses user namespaces: the value that refuses, and one that does not."""


def ordinary_maps() -> tuple[str, str]:
    """The maps of an ordinary user: root is the user, the other ids are subordinate ids.

    Raises WorkbookError if newuidmap is missing or the user has too few subordinate ids.
    """
    if findings := missing():
        raise WorkbookError(findings[0][0], hint=findings[0][1])
    own = (os.getuid(), os.getgid())
    starts = [_subordinate(HOST / f"etc/sub{kind}") for kind in ("uid", "gid")]
    user, group = (f"0 {own_id} 1 1 {start} {ID_COUNT - 1}" for own_id, start in zip(own, starts, strict=True))
    return user, group


def missing() -> list[tuple[str, str]]:
    """What this host lacks for the namespace of an ordinary user: what it is, and the command that adds it."""
    lacks = []
    if not (shutil.which("newuidmap") and shutil.which("newgidmap")):
        install = "dnf install shadow-utils" if shutil.which("dnf") else "apt-get install uidmap"
        lacks.append(("newuidmap: command not found", f"sudo {install}"))
    files = {HOST / f"etc/sub{kind}": f"--add-sub{kind}s" for kind in ("uid", "gid")}
    short = {path: option for path, option in files.items() if _subordinate(path) is None}
    if short:
        start = max((100_000, *(end for path in files for _, _, end in _ranges(path))))
        options = " ".join(f"{option} {start}-{start + ID_COUNT - 1}" for option in short.values())
        names = " and ".join(map(str, short))
        lacks.append((f"{names}: no {ID_COUNT} subordinate ids for {_user_name()}; "
                      f"wanted: the line {_user_name()}:{start}:{ID_COUNT}",
                      f"sudo usermod {options} {_user_name()}"))  # fmt: skip
    for name, (refusing, allowing) in _SETTINGS.items():
        path = HOST / "proc/sys" / name.replace(".", "/")
        if path.exists() and path.read_text().strip() == refusing:
            lacks.append((f"{name} is {refusing}: this host refuses user namespaces",
                          f"sudo sysctl {name}={allowing}; to keep it, the line {name}={allowing} in "
                          "/etc/sysctl.d/workbook.conf"))  # fmt: skip
    return lacks


def _user_name() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _subordinate(path: Path) -> int | None:
    """The first subordinate id of this user in a file as subuid(5), or None if there are too few."""
    owners = (_user_name(), str(os.getuid()))
    return next((start for owner, start, end in _ranges(path) if owner in owners and end - start >= ID_COUNT - 1), None)


def _ranges(path: Path) -> list[tuple[str, int, int]]:
    """The owner, the first id, and the id after the last, of each line of a file as subuid(5)."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [line.strip().split(":") for line in lines]
    return [(row[0], int(row[1]), int(row[1]) + int(row[2])) for row in rows if len(row) == 3 and row[1].isdigit()
            and row[2].isdigit()]  # fmt: skip
