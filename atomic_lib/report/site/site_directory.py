"""The directory of a published site: the next one is made beside it, and both change places in one step.

The next site begins as hard links to the files of the one before, so that only what differs is written, and what was
published once stays. A file is never changed in place: it is shared with the site that is being served.

Source: renameat2(2), RENAME_EXCHANGE.
"""

import ctypes
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import copy_file, write_text
from atomic_lib.base.store import file_sha256, remove_tree

MARKER = ".workbook-site"
"""The file that marks a directory as a site of the workbook; what each page was made from."""
FORMAT = 1
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass
class NextSite:
    """A site that is not published yet, in the directory ``root``. Paths are relative to it.

    ``keys``: what each page was made from, as a checksum. ``written``: the files that differ from the site before.
    """

    root: Path
    keys: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    def has(self, path: str) -> bool:
        """Whether the site has this file or directory."""
        return (self.root / path).exists()

    def is_made_from(self, path: str, key: str) -> bool:
        """Whether the page is there and was made from what ``key`` is the checksum of."""
        return self.keys.get(path) == key and self.has(path)

    def write(self, path: str, text: str, key: str = "") -> None:
        """Write a text file unless it is the same already. ``key``: the checksum of what it was made from."""
        target = self.root / path
        if key:
            self.keys[path] = key
        if not (target.is_file() and target.read_bytes() == text.encode()):
            write_text(target, text)
            self.written.append(path)

    def add(self, source: Path, path: str) -> None:
        """Copy a file unless it is there already."""
        target = self.root / path
        if not target.is_file() or file_sha256(target) != file_sha256(source):
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_file(source, target)
            target.chmod(0o644)
            self.written.append(path)

    def files(self, directory: str) -> list[str]:
        """The paths of all files below a directory of the site, sorted, relative to it."""
        top = self.root / directory
        return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())


def checksum(*texts: str) -> str:
    """The checksum of what a page is made from."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def require_site_directory(directory: Path) -> None:
    """Raise WorkbookError if no site can be published as ``directory``: what stands there, and what it is in, say so.

    To be asked before something that takes long.
    """
    directory = directory.resolve()
    _keys_of(directory)
    parent = next(path for path in directory.parents if path.exists())
    if not os.access(parent, os.W_OK | os.X_OK):
        raise WorkbookError(f"{parent}: cannot be written", hint=f"{directory} is made in it; choose another directory")


@contextmanager
def next_site(directory: Path) -> Iterator[NextSite]:
    """The site to publish as ``directory``: it takes the place of the site there if the block ends without an error.

    Otherwise the site there stays as it is, whatever ended the block. Raises WorkbookError for a directory that is
    neither empty nor a site of the workbook, while another process publishes there, and if the file system cannot
    exchange two directories.
    """
    directory = directory.resolve()
    parent = directory.parent
    parent.mkdir(parents=True, exist_ok=True)
    with _only_publication(directory):
        keys = _keys_of(directory)
        prefix = f".{directory.name}.new-"
        for abandoned in parent.glob(f"{escape(prefix)}*"):
            remove_tree(abandoned)
        fresh = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            fresh.chmod(0o755)
            if keys is not None:
                _link_all(directory, fresh)
            site = NextSite(fresh, dict(keys or {}))
            yield site
            _write_marker(site)
            for folder, _, _ in os.walk(fresh):
                os.chmod(folder, 0o755)  # whatever the umask is: a web server reads it
            _to_disk(fresh)
            _put_in_place(fresh, directory)
        finally:
            remove_tree(fresh)  # the site before, once they have changed places


@contextmanager
def _only_publication(directory: Path) -> Iterator[None]:
    """Hold the lock of the directory that the site is in, so that no other process publishes there."""
    descriptor = os.open(directory.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkbookError(
                f"{directory.parent}: another ./workbook publish is writing there", hint="wait until it ends"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _keys_of(directory: Path) -> Mapping[str, str] | None:
    """What the pages of the site there were made from; None if there is none."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise WorkbookError(f"{directory}: is a file", hint="name a directory that is empty or new") from None
    if not names:
        return None
    try:
        marker = json.loads((directory / MARKER).read_bytes())
        found, keys = marker["format"], dict(marker["pages"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise WorkbookError(
            f"{directory}: is not empty, and not a site that the workbook published: it has no {MARKER}",
            hint="name a directory that is empty or new",
        ) from None
    if found != FORMAT:
        raise WorkbookError(
            f"{directory}: the site has format {found}; this workbook writes {FORMAT}",
            hint="use the version of the workbook that published it, or another directory",
        )
    return keys


def _link_all(source: Path, target: Path) -> None:
    """Make ``target`` the same tree, of the same files."""
    for folder, names, files in os.walk(source):
        own = target / Path(folder).relative_to(source)
        for name in names:
            (own / name).mkdir()
        for name in files:
            os.link(Path(folder, name), own / name, follow_symlinks=False)


def _write_marker(site: NextSite) -> None:
    text = json.dumps({"format": FORMAT, "pages": site.keys}, indent=0, sort_keys=True)
    if not (site.has(MARKER) and (site.root / MARKER).read_text(encoding="utf-8") == text):
        write_text(site.root / MARKER, text)


def _to_disk(directory: Path) -> None:
    """Have all files on the disk before the new site takes the place of the old one: syncfs(2)."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _LIBC.syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(directory))
    finally:
        os.close(descriptor)


def _put_in_place(fresh: Path, directory: Path) -> None:
    """Exchange the two directories; without a site there, or in an empty directory, a rename does."""
    with suppress(OSError):
        os.rename(fresh, directory)
        return
    names = os.fsencode(fresh), os.fsencode(directory)
    if _LIBC.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise WorkbookError(
            f"{directory}: cannot change places with the new site beside it: {os.strerror(number)}",
            hint="choose a directory that is no mount point, on ext4, xfs, btrfs or tmpfs; the site there is unchanged",
        )
