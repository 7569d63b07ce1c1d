"""``./workbook clean``: shows how much disk space each part of the workbook's files uses, and removes parts."""

import stat
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.base.run_lock import run_lock
from atomic_lib.base.store import DAMAGED, remove_tree
from atomic_lib.tools.tools_tree import CACHE_TAG, CACHE_TAG_NAME

PARTS = ("damaged", "builds", "runs", "cache", "environment")
_DESCRIPTIONS = {
    "damaged": "damaged files that were set aside in builds and cache",
    "builds": "stored stages: trees, commits, disk images",
    "runs": "reports and their data, records of ./workbook verify, equality and sweep, copies of recipes",
    "cache": "tools tree, content, downloads",
    "environment": "Python environments",
}


def clean(checkout: Path, cache: Path, parts: tuple[str, ...], *, confirmed: bool) -> int:
    """Show the size of ``parts`` and, after confirmation, remove them; without ``parts`` show all, remove nothing.

    Returns the exit status: 1 if the user does not agree. Raises WorkbookError for an unknown part, while a run is
    in progress, and for a directory that is not the workbook's own.
    """
    unknown = [part for part in parts if part not in (*PARTS, "all")]
    if unknown:
        raise WorkbookError(f"clean: unknown part {unknown[0]!r}", hint=f"choose of: {', '.join((*PARTS, 'all'))}")
    chosen = [part for part in PARTS if not parts or part in parts or "all" in parts]
    paths_of = {part: [path for path in directories_of(part, checkout, cache) if path.exists()] for part in chosen}
    for part, paths in paths_of.items():
        say(f"{freed_bytes(paths) / 1e6:9.1f} MB  {part:11}  {_DESCRIPTIONS[part]}")
        for path in paths:
            say(f"{'':14}{path}")
    if not parts:
        say(f"To remove a part: ./workbook clean PART; the parts are {', '.join(PARTS)} and all")
        return 0
    with run_lock(checkout / "build", "./workbook clean"):
        if not (confirmed or agreed()):
            return 1
        for path in (path for paths in paths_of.values() for path in paths):
            remove_completely(path)
            say(f"removed {path}")
    return 0


def directories_of(part: str, checkout: Path, cache: Path) -> list[Path]:
    """The directories of one part, and for ``damaged`` also files.

    Raises WorkbookError if the path of one contains a symbolic link, or if the workbook did not create the
    cache directory.
    """
    own = {
        "builds": ["build/store"],
        "damaged": ["build/store"],
        "runs": ["build/runs", "build/verify", "build/equality", "build/recipes", "build/sweeps"],
        "environment": [".venv", ".venv-cluster", ".venv-lab"],
        "cache": [],
    }
    paths = [checkout.resolve() / name for name in own[part]]
    for path in paths:
        if path.resolve() != path:
            raise WorkbookError(
                f"{path}: is a link to {path.resolve()}, outside the checkout", hint="remove it by hand"
            )
    if part in ("cache", "damaged") and cache.exists():
        tag = cache / CACHE_TAG_NAME
        if not (tag.is_file() and tag.read_text() == CACHE_TAG):
            raise WorkbookError(
                f"{cache}: not a cache that the workbook made: it has no {CACHE_TAG_NAME} of the workbook",
                hint="check WORKBOOK_CACHE, or remove the directory by hand",
            )
        paths.append(cache.resolve())
    return paths if part != "damaged" else [found for path in paths for found in _set_aside_in(path)]


def _set_aside_in(store: Path) -> list[Path]:
    """Results of stages, cached RPMs and keys, and downloads of apt, as ``set_aside`` renames them."""
    forms = (f"*/*{DAMAGED}", f"apt/*/*{DAMAGED}")
    return sorted(path for form in forms for path in store.glob(form))


def freed_bytes(paths: Iterable[Path]) -> int:
    """The disk space in bytes that is free once all of ``paths`` are removed: a file with a name elsewhere takes it on.

    Paths that are removed meanwhile do not count.
    """
    names: Counter[tuple[int, int]] = Counter()
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    for path in (found for top in paths for found in (top, *top.rglob("*"))):  # rglob follows no link
        with suppress(FileNotFoundError):
            status = path.lstat()
            inode = status.st_dev, status.st_ino
            names[inode] += 1
            links = 1 if stat.S_ISDIR(status.st_mode) else status.st_nlink
            sizes[inode] = links, status.st_blocks * 512
    return sum(allocated_bytes for inode, (links, allocated_bytes) in sizes.items() if names[inode] >= links)


def agreed() -> bool:
    """Whether the user agrees to remove what was just shown; False without a terminal to ask on."""
    if not sys.stdin.isatty():
        say("Nothing removed: there is no terminal to ask on. Use --yes to remove without asking.")
        return False
    return input("Remove all of this? [y/N] ").strip().lower().startswith("y")


def remove_completely(path: Path) -> None:
    """Remove a file or a tree. Raises WorkbookError if something of it stays."""
    remove_tree(path)
    if path.exists():
        raise WorkbookError(
            f"{path}: could not be removed completely", hint="if root created it: sudo ./workbook clean"
        )
