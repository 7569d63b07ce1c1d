"""Directories in memory: a file system of this namespace, whose files take owners, capabilities and labels.

The file systems of the host take no SELinux labels from an ordinary user, and take those of the host's policy only,
where it has one. Source: tmpfs(5), user_namespaces(7).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.tools.user_namespace import require_namespace

_OPTIONS = "mode=0755"
MOST_MEMORY = "90%"


@contextmanager
def in_memory(directory: Path, size: str = MOST_MEMORY, *, files: int = 0) -> Iterator[Path]:
    """Make ``directory``, a file system in memory until the end of the block; then it is gone with its files.

    ``size``: how much it takes, in bytes (``64m``) or as a part of the memory. ``files``: how many files, directories
    and links it takes; 0: as many as fit.

    Raises WorkbookError outside of the workbook's namespace, where it would be a mount of the host.
    """
    require_namespace()
    directory.mkdir()
    try:
        command.run(["mount", "-t", "tmpfs", "-o", f"{_OPTIONS},nr_inodes={files},size={size}", "tmpfs", directory])
        try:
            yield directory
        finally:
            command.run(["umount", "--lazy", directory])
    finally:
        directory.rmdir()
