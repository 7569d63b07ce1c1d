"""The directories of the two builds: outside the user's store, and on two file systems if there is enough memory."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atomic_lib.base.files import copy_file
from atomic_lib.base.store import remove_tree
from atomic_lib.content.standin.debs import EDITION_FILE
from atomic_lib.tools.machine import available_memory_bytes
from atomic_lib.tools.tools_tree import CACHE_TAG, CACHE_TAG_NAME

MEMORY_DIRECTORY = Path("/dev/shm")
_PREFIX = "workbook-verify-"
_NEED_BYTES = 12 * 10**9
"""The size of content, layer, tree and image while they are built, and memory for the commands that build them."""


@contextmanager
def other_place(build: Path) -> Iterator[Path]:
    """A directory in memory if there is enough, otherwise in ``build`` with a longer name; removed after the block.

    Also removes the directories of killed processes.
    """
    parent = MEMORY_DIRECTORY if has_memory(MEMORY_DIRECTORY) else build / "verify"
    parent.mkdir(parents=True, exist_ok=True)
    for found in (path for top in (MEMORY_DIRECTORY, build / "verify") for path in top.glob(f"{_PREFIX}*-*")):
        pid = found.name.removeprefix(_PREFIX).partition("-")[0]
        if _is_own_directory(found) and not (pid.isdigit() and Path("/proc", pid).exists()):
            remove_tree(found)
    path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    try:
        yield path
    finally:
        remove_tree(path)


def _is_own_directory(path: Path) -> bool:
    """Whether this user owns the directory: any user may create one with such a name in /dev/shm."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def has_memory(directory: Path) -> bool:
    """Whether a directory is a tmpfs with enough memory for a build, and without ``noexec``."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    if not any(words[1] == str(directory) and words[2] == "tmpfs" for words in mounts):
        return False
    status = os.statvfs(directory)
    free_bytes = min(status.f_bavail * status.f_frsize, available_memory_bytes())
    return free_bytes > _NEED_BYTES and not status.f_flag & os.ST_NOEXEC


def make_cold_cache(cache: Path, target: Path) -> None:
    """Create a cache with the tools tree and the downloaded Debian packages of another one, but without content."""
    target.mkdir(parents=True)
    (target / CACHE_TAG_NAME).write_text(CACHE_TAG)
    (target / "tools").symlink_to(cache / "tools")
    archives = target / "apt/archives"
    archives.mkdir(parents=True)
    for deb in sorted((cache / "apt/archives").glob("*.deb"), reverse=True):
        copy_file(deb, archives / deb.name)
    if (cache / "apt/lists").is_dir():
        shutil.copytree(cache / "apt/lists", target / "apt/lists")
    if (cache / "apt" / EDITION_FILE).is_file():
        copy_file(cache / "apt" / EDITION_FILE, target / "apt" / EDITION_FILE)
