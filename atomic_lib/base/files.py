"""Files: atomic writes, copies that share no inode, and manifests, which tell whether a directory is as it was made.

A manifest has mode, size, modification time and digest of every path. Its first line is the sha256 of the rest, so
that a damaged manifest is noticed too. A check compares modes, sizes and times, which takes microseconds a path,
and content where a time has changed. It always compares the content of the files directly in the directory: these
are the ones that stages read and publish (JSON, packages, disk images). The content of all others (trees,
repositories, thousands of files) is compared only on request: a digest of a tree at every use would cost more than
what the store saves.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MANIFEST = "manifest"
SPARSE_BYTES = 1 << 30
"""From this size on a file counts as sparse, as disk images are: see ``file_digest``."""
_BLOCK_BYTES = 1 << 16
_PIECE_BYTES = 1 << 20
_FICLONE = 0x40049409  # linux/fs.h

Range = tuple[int, int]
"""A part of a file: its start and its end in bytes."""


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file atomically, with these permissions; creates its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(name, mode)  # mkstemp's 0600 would keep a web server from reading a page
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def copy_file(source: Path, target: Path) -> None:
    """Copy a file with its mode and times, atomically; shares its blocks where the file system can (reflink).

    Never a hard link: whoever damaged one of the files would damage both. Read-only modes would not prevent that,
    because root ignores them.
    """
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(source, "rb") as old, open(fresh, "wb") as new:
            try:
                fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
            except OSError:
                shutil.copyfileobj(old, new, _PIECE_BYTES)
        shutil.copystat(source, fresh)
        os.replace(fresh, target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def file_digest(path: Path) -> str:
    """The sha256 of a file's content in hex.

    For a file of ``SPARSE_BYTES`` or more: the sha256 of its size and of each block of 64 KiB that is not all zeros,
    after its offset, all numbers as 8 bytes, little endian. Holes are not read, and it does not matter whether zeros
    are holes. This takes a fifth of the time of the sha256 of all bytes, for the usual disk image.
    """
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        if size_bytes < SPARSE_BYTES:
            while piece := file.read(min(_PIECE_BYTES, size_bytes + 1)):
                digest.update(piece)
            return digest.hexdigest()
        digest.update(size_bytes.to_bytes(8, "little"))
        for offset, block in _data_blocks(file.fileno(), size_bytes):
            digest.update(offset.to_bytes(8, "little") + block)
    return digest.hexdigest()


def _data_blocks(descriptor: int, size_bytes: int) -> Iterator[tuple[int, bytes]]:
    """The blocks of an open file that are not all zeros, with their offsets, in order."""
    at, zeros = 0, bytes(_BLOCK_BYTES)
    for start, end in data_ranges(descriptor, size_bytes):
        at = max(at, start - start % _BLOCK_BYTES)
        while at < end:
            block = os.pread(descriptor, _BLOCK_BYTES, at)
            if block != zeros[: len(block)]:
                yield at, block
            at += _BLOCK_BYTES


def data_ranges(descriptor: int, size_bytes: int) -> Iterator[Range]:
    """The ranges of an open file that are not holes, in order; space that is reserved and never written is a hole."""
    end = 0
    while end < size_bytes:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # ENXIO: only a hole is left
                raise
            return
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end


class _Recorded(NamedTuple):
    """A path in a manifest; ``digest`` is the target of a link, and empty if there is no content."""

    mode: int
    size_bytes: int
    mtime_ns: int
    digest: str = ""


def write_manifest(directory: Path, known: Mapping[str, str] | None = None) -> None:
    """Write the manifest of a directory that is complete. ``known``: what ``file_digest`` returns for some files."""
    states, known = sorted(_states(directory).items()), known or {}
    rows = {name: [*state[:3], known.get(name) or _digest(directory / name, state)] for name, state in states}
    body = json.dumps(rows).encode()
    (directory / MANIFEST).write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def find_damage(directory: Path, *, all_content: bool = False) -> list[str]:
    """How a directory differs from its manifest, one text for each path; empty if it is as it was made.

    ``all_content``: compare the content of all files, not only of those directly in the directory and of those whose
    time has changed. Raises PermissionError for what this user may not read: that is no damage.
    """
    try:
        recorded, states = _read_manifest(directory), _states(directory)
    except PermissionError:
        raise
    except (OSError, ValueError, TypeError) as error:
        return [f"{MANIFEST}: {_reason(error)}"]
    damage = [f"{_shown(name)}: is missing" for name in recorded.keys() - states.keys()]
    damage += [f"{_shown(name)}: was added" for name in states.keys() - recorded.keys()]
    both = [(name, old, states[name]) for name, old in recorded.items() if name in states]
    damage += [f"{_shown(name)}: {_difference(old, new)}" for name, old, new in both if old[:2] != new[:2]]
    to_read = [
        (name, old)
        for name, old, new in both
        if old[:2] == new[:2] and (all_content or "/" not in name or old.mtime_ns != new.mtime_ns)
    ]
    contents = ((name, _content_damage(directory / name, old)) for name, old in to_read)
    damage += [f"{_shown(name)}: {text}" for name, text in contents if text]
    return sorted(damage)


def _content_damage(path: Path, recorded: _Recorded) -> str:
    try:
        return "" if _digest(path, recorded) == recorded.digest else "its content was changed"
    except PermissionError:
        raise
    except OSError as error:
        return _reason(error)


def _digest(path: Path, state: _Recorded) -> str:
    if stat.S_ISLNK(state.mode):
        return os.readlink(path)
    return file_digest(path) if stat.S_ISREG(state.mode) else ""


def _shown(name: str) -> str:
    """A name of a tree as part of one line."""
    return name if name.isprintable() else ascii(name)


def _difference(old: _Recorded, new: _Recorded) -> str:
    if old.mode != new.mode:
        return f"type and mode are {new.mode:o}, not {old.mode:o}"
    return f"has {new.size_bytes} bytes, not {old.size_bytes}"


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "is missing"
    return f"cannot be read: {(isinstance(error, OSError) and error.strerror) or error}"


def _read_manifest(directory: Path) -> dict[str, _Recorded]:
    """Raises OSError if the manifest cannot be read, and ValueError or TypeError if it is damaged."""
    digest, _, body = (directory / MANIFEST).read_bytes().partition(b"\n")
    if digest != hashlib.sha256(body).hexdigest().encode():
        raise ValueError("it was changed")
    return {name: _Recorded(*values) for name, values in json.loads(body).items()}


def _states(top: Path) -> dict[str, _Recorded]:
    """All paths below ``top`` but the manifest. A directory's size and time depend on the file system: left out."""
    states, waiting = {}, [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(top / folder) as entries:
            for entry in entries:
                status, name = entry.stat(follow_symlinks=False), folder + entry.name
                if stat.S_ISDIR(status.st_mode):
                    states[name] = _Recorded(status.st_mode, 0, 0)
                    waiting.append(f"{name}/")
                else:
                    states[name] = _Recorded(status.st_mode, status.st_size, status.st_mtime_ns)
    states.pop(MANIFEST, None)
    return states


def size_bytes(top: Path) -> int:
    """The allocated size of a directory tree in bytes; hard links count once, files removed meanwhile do not."""
    sizes = {}
    for directory, _, names in os.walk(top):
        for name in (".", *names):
            with suppress(FileNotFoundError):
                status = os.lstat(os.path.join(directory, name))
                sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())
