"""Atomic writes: a file appears complete or not at all. The space that files use."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a file atomically; creates its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(name, 0o644)  # mkstemp's 0600 would keep a web server from reading it
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def link_file(source: Path, target: Path) -> None:
    """Make ``target`` a hard link to ``source``, or a copy if they are on different file systems, atomically."""
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    try:
        fresh.hardlink_to(source)
    except OSError:
        shutil.copy2(source, fresh)
    # rename(2) does nothing if both names already link to the same file
    os.replace(fresh, target)
    fresh.unlink(missing_ok=True)


def size_bytes(top: Path) -> int:
    """The allocated size of a directory tree in bytes; hard links count once, files removed meanwhile do not."""
    sizes = {}
    for directory, _, names in os.walk(top):
        for name in (".", *names):
            with suppress(FileNotFoundError):
                status = os.lstat(os.path.join(directory, name))
                sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())
