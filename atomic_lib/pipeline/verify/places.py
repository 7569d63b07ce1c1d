"""Where the two builds are made: apart from the user's store, on two file systems where memory allows it."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atomic_lib.base.files import link_file
from atomic_lib.base.store import remove_tree
from atomic_lib.tools.tools_tree import CACHE_TAG, CACHE_TAG_NAME

MEMORY_DIRECTORY = Path("/dev/shm")
_PREFIX = "workbook-verify-"
_NEED_BYTES = 12 * 10**9
"""Content in the making, the layer, the tree and the image, and room for the commands to work in."""


@contextmanager
def other_place(build: Path) -> Iterator[Path]:
    """A directory in memory, where there is enough of it, else one in ``build`` with a longer name; removed afterwards.

    What was left by a process that was killed is removed first.
    """
    parent = MEMORY_DIRECTORY if has_memory(MEMORY_DIRECTORY) else build / "verify"
    parent.mkdir(parents=True, exist_ok=True)
    for left in (path for top in (MEMORY_DIRECTORY, build / "verify") for path in top.glob(f"{_PREFIX}*-*")):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if _is_own_directory(left) and not (pid.isdigit() and Path("/proc", pid).exists()):
            remove_tree(left)
    path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    try:
        yield path
    finally:
        remove_tree(path)


def _is_own_directory(path: Path) -> bool:
    """Whether this user made it: anybody may put a name like ours into a directory that all share."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def has_memory(directory: Path) -> bool:
    """Whether a directory is in memory, with room for a build beside all else, and programs may run from it."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    if not any(words[1] == str(directory) and words[2] == "tmpfs" for words in mounts):
        return False
    status = os.statvfs(directory)
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available_bytes = int(lines["MemAvailable"].split()[0]) * 1024
    free_bytes = min(status.f_bavail * status.f_frsize, available_bytes)
    return free_bytes > _NEED_BYTES and not status.f_flag & os.ST_NOEXEC


def make_cold_cache(cache: Path, target: Path) -> None:
    """A cache with the tools tree and the downloaded Debian packages of another one, and nothing that was made."""
    target.mkdir(parents=True)
    (target / CACHE_TAG_NAME).write_text(CACHE_TAG)
    (target / "tools").symlink_to(cache / "tools")
    archives = target / "apt/archives"
    archives.mkdir(parents=True)
    for deb in sorted((cache / "apt/archives").glob("*.deb"), reverse=True):
        link_file(deb, archives / deb.name)
    if (cache / "apt/lists").is_dir():
        shutil.copytree(cache / "apt/lists", target / "apt/lists")
