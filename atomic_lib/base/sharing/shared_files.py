"""Results that share files: a file that an earlier result has, too, is a hard link to it, and takes no space again.

For directories whose files nothing changes, and whose names say what is in them, such as the objects of a repository.
Whoever damages a shared file damages it in all results that have it; each of them notices that by its own manifest
(see ``files``) and is made again. What makes it again shares nothing with a result that is damaged.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from atomic_lib.base.files import find_damage

_MOST_RESULTS = 2
"""How many results are looked at: each is compared with its manifest, which takes 0.1 s for a tree."""


def newest_first(results: Iterable[Path]) -> list[Path]:
    """The results, the newest first, but those that are removed meanwhile."""
    made: dict[Path, int] = {}
    for result in results:
        with suppress(FileNotFoundError):
            made[result] = result.lstat().st_mtime_ns
    return sorted(made, key=lambda result: (-made[result], result))


def newest_whole(results: Iterable[Path]) -> Iterator[Path]:
    """The newest results that are not damaged, the newest first: only a few."""
    yield from (result for result in newest_first(results)[:_MOST_RESULTS] if not find_damage(result))


def share_files(directory: Path, names: Iterable[str], earlier: Path) -> None:
    """Make the files ``names`` of ``directory`` hard links to those of the directory ``earlier``.

    The caller knows that a name has the same content in both. A file stays as it is if it has several names already,
    or if type, mode, owner, size, modification time or extended attributes differ; and if it cannot be linked, as
    between two file systems.
    """
    for name in names:
        with suppress(OSError):
            _share(directory / name, earlier / name)


def _share(target: Path, source: Path) -> None:
    new, old = target.lstat(), source.lstat()
    if stat.S_ISREG(new.st_mode) and new.st_nlink == 1 and _state(target, new) == _state(source, old):
        fresh = target.with_name(f".{target.name}.link")
        os.link(source, fresh, follow_symlinks=False)
        try:
            os.replace(fresh, target)
        except OSError:
            fresh.unlink()
            raise


def _state(path: Path, status: os.stat_result) -> tuple[object, ...]:
    names = os.listxattr(path, follow_symlinks=False)
    attributes = {name: os.getxattr(path, name, follow_symlinks=False) for name in names}
    return status.st_mode, status.st_uid, status.st_gid, status.st_size, status.st_mtime_ns, attributes
