"""The files of a tree, as the host may touch them.

A tree is hostile data: packages and scripts put links, FIFOs, devices and odd names at any path.
So every access of the host to a file of a tree goes through ``TreeFiles``. Paths are resolved
beneath the root of the tree, where an absolute link means the tree's own root. Only regular
files are read, up to a limit. A file is never written in place but replaced, so what a hard link
leads to stays.

Paths are relative to the root, which is ``""``; bytes that are not UTF-8 are surrogates (PEP 383).
"""

import fnmatch
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BufferedWriter
from pathlib import Path

from atomic_lib.compose.tree_access.beneath import (
    errors_named,
    find_beneath,
    refusal,
    require_inside,
    require_kind,
    shown,
)

TEXT_BYTES = 32 << 20
"""The size limit of a file that is read as a whole, in bytes."""
FILE_BYTES = 4 << 30
"""The size limit of a file that is copied or digested, in bytes."""


@dataclass(frozen=True)
class TreeFiles:
    """The files of the tree at ``root``.

    All methods raise WorkbookError, with the path, for what they cannot do in this tree.
    Links that lead to a path are followed inside the tree, and what a method names is not,
    except for ``read``, ``text``, ``has_file`` and the sources of copies.
    """

    root: Path

    def status(self, path: str) -> os.stat_result | None:
        """The status of a path itself; None if there is nothing."""
        with self._found(path, follow=False) as found:
            return None if found is None else os.fstat(found)

    def is_directory(self, path: str) -> bool:
        """Whether a path is a directory, and no link."""
        status = self.status(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def has_file(self, path: str) -> bool:
        """Whether a path is, or leads to, a regular file."""
        with self._found(path, follow=True) as found:
            return found is not None and stat.S_ISREG(os.fstat(found).st_mode)

    def target_of(self, path: str) -> str:
        """The target of a link."""
        with self._found(path, follow=False) as found:
            if found is None or not stat.S_ISLNK(os.fstat(found).st_mode):
                raise refusal(path, "no symbolic link")
            return os.readlink("", dir_fd=found)

    def read(self, path: str, limit_bytes: int = TEXT_BYTES) -> bytes | None:
        """The content of a regular file; None if there is nothing."""
        with self._open_up_to(path, limit_bytes) as file:
            return None if file is None else file.read(limit_bytes)

    def text(self, path: str) -> str | None:
        """The content of a regular file as text, with surrogates for what is not UTF-8; None if there is nothing."""
        content = self.read(path)
        return None if content is None else content.decode(errors="surrogateescape")

    @contextmanager
    def opened(self, path: str) -> Iterator[BufferedReader]:
        """A regular file, open for reading; it is closed when the block ends."""
        with self._open_up_to(path, FILE_BYTES) as file:
            if file is None:
                raise refusal(path, "there is no such file in the tree")
            yield file

    def attributes(self, path: str) -> dict[str, bytes]:
        """The extended attributes of a path itself, by name; empty if there is nothing."""
        with self._found(path, follow=False) as found:
            place = f"/proc/self/fd/{found}"  # of a link that was not followed, the link
            names = sorted(os.listxattr(place)) if found is not None else ()
            return {name: os.getxattr(place, name) for name in names}

    def sha256(self, path: str) -> str:
        """The sha256 of a regular file, in hex."""
        with self.opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def on_host(self, path: str) -> Path:
        """The path on the host of a regular file, without links, for a tool that needs one."""
        with self.opened(path) as file:
            return Path(os.readlink(f"/proc/self/fd/{file.fileno()}"))

    def entries(self, directory: str) -> list[str]:
        """The paths in a directory, sorted; empty if there is none."""
        return [path for path, _ in self._listed(directory)]

    def matching(self, pattern: str) -> list[str]:
        """The paths that fit a pattern, sorted; ``*`` stands for part of a name, and leads through no link."""
        require_inside(pattern)
        found = [""]
        parts = pattern.split("/")
        for number, part in enumerate(parts, start=1):
            if "*" not in part:
                found = [path for base in found if self.status(path := f"{base}/{part}".lstrip("/"))]
                continue
            listed = [entry for path in found if self.is_directory(path) for entry in self.entries(path)]
            fitting = [entry for entry in listed if fnmatch.fnmatchcase(entry.rpartition("/")[2], part)]
            found = [entry for entry in fitting if number == len(parts) or self.is_directory(entry)]
        return found

    def below(self, directory: str = "") -> Iterator[tuple[str, os.stat_result]]:
        """All paths below a directory with their status, in a fixed order; links are not followed."""
        stack = [directory]
        while stack:
            for path, status in reversed(self._listed(stack.pop())):
                yield path, status
                if stat.S_ISDIR(status.st_mode):
                    stack.append(path)

    def write(self, path: str, content: str | bytes, mode: int | None = None) -> None:
        """Write a file, in directories that are made as needed.

        It replaces what is there, except for a directory. Of a regular file it keeps owner and,
        unless ``mode`` is given, mode.
        """
        data = content if isinstance(content, bytes) else content.encode(errors="surrogateescape")
        with self._new_file(path, mode) as file:
            file.write(data)

    def copy(self, source: str, target: str) -> None:
        """Copy a regular file with its mode and times."""
        with self.opened(source) as file:
            self._fill(file, target)

    def take_in(self, source: Path, target: str) -> None:
        """Copy a file of the host into the tree, with its mode and times."""
        with open(source, "rb") as file:
            self._fill(file, target)

    def take_out(self, source: str, target: Path) -> None:
        """Copy a regular file to a new file of the host, with its mode and times."""
        with open(target, "xb") as copy, self.opened(source) as file:
            status = os.fstat(file.fileno())
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fchmod(copy.fileno(), stat.S_IMODE(status.st_mode) & 0o777)
            os.utime(copy.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))

    def add_link(self, path: str, target: str) -> None:
        """Create a symbolic link where nothing is."""
        with self._parent(path) as (parent, name):
            os.symlink(target, name, dir_fd=parent)

    def make_directory(self, path: str) -> None:
        """Create a directory, mode 0755, and those above it, as needed."""
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            part = "/".join(parts[:count])
            with self._found(part, follow=True) as found:
                if found is not None and not stat.S_ISDIR(os.fstat(found).st_mode):
                    raise refusal(part, "no directory, but one is needed here")
            if found is None:
                if self.status(part) is not None:
                    raise refusal(part, "is a symbolic link that leads nowhere in the tree, not a directory")
                with self._parent(part) as (parent, name):
                    os.mkdir(name, 0o755, dir_fd=parent)

    def move(self, source: str, target: str) -> None:
        """Rename a path; raises WorkbookError if there is something at ``target``."""
        if self.status(target) is not None:
            raise refusal(target, f"is there already, so {shown(source)} cannot be moved here")
        with self._parent(source) as (old, old_name), self._parent(target) as (new, new_name):
            os.rename(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)

    def remove(self, path: str) -> None:
        """Remove a path, a directory with its content; nothing happens if there is nothing."""
        status = self.status(path)
        if status is None:
            return
        if not stat.S_ISDIR(status.st_mode):
            with self._parent(path) as (parent, name):
                os.unlink(name, dir_fd=parent)
            return
        directories = [path]
        for directory in directories:  # which grows
            listed = self._listed(directory)
            directories += [entry for entry, of_entry in listed if stat.S_ISDIR(of_entry.st_mode)]
            with self._found(directory, follow=False) as found:
                for entry, of_entry in listed:
                    if not stat.S_ISDIR(of_entry.st_mode):
                        os.unlink(entry.rpartition("/")[2], dir_fd=found)
        for directory in reversed(directories):
            with self._parent(directory) as (parent, name):
                os.rmdir(name, dir_fd=parent)

    def _listed(self, directory: str) -> list[tuple[str, os.stat_result]]:
        base = f"{directory}/" if directory else ""
        with self._found(directory, follow=False) as found:
            if found is None:
                return []
            require_kind(directory, found, stat.S_IFDIR)
            readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=found)
            try:
                with os.scandir(readable) as items:
                    listed = [(item.name, item.stat(follow_symlinks=False)) for item in items]
            finally:
                os.close(readable)
        return [(f"{base}{name}", status) for name, status in sorted(listed, key=lambda pair: pair[0])]

    @contextmanager
    def _found(self, path: str, *, follow: bool) -> Iterator[int | None]:
        """An O_PATH descriptor of a path, None if there is nothing."""
        with errors_named(path):
            require_inside(path)
            root = os.open(self.root, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                found = find_beneath(root, path or ".", follow=follow)
            except (FileNotFoundError, NotADirectoryError):
                found = None
            finally:
                os.close(root)
            try:
                yield found
            finally:
                if found is not None:
                    os.close(found)

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        """A descriptor of the directory that has ``path``, and its name in there."""
        require_inside(path)
        directory, _, name = path.rpartition("/")
        with self._found(directory, follow=True) as found:
            if found is None:
                raise refusal(directory, "there is no such directory in the tree")
            require_kind(directory, found, stat.S_IFDIR)
            with errors_named(path):
                yield found, name

    @contextmanager
    def _open_up_to(self, path: str, limit_bytes: int) -> Iterator[BufferedReader | None]:
        """A regular file, open for reading; None if there is nothing."""
        with self._found(path, follow=True) as found:
            if found is None:
                yield None
                return
            require_kind(path, found, stat.S_IFREG)
            size_bytes = os.fstat(found).st_size
            if size_bytes > limit_bytes:
                raise refusal(path, f"has {size_bytes} bytes, more than the limit of {limit_bytes}")
            # What the descriptor stands for is known; only through /proc can it be opened, and not another file.
            with open(f"/proc/self/fd/{found}", "rb") as file:
                yield file

    def _fill(self, source: BufferedReader, target: str) -> None:
        status = os.fstat(source.fileno())
        with self._new_file(target, stat.S_IMODE(status.st_mode) & 0o777) as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.utime(copy.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))

    @contextmanager
    def _new_file(self, path: str, mode: int | None) -> Iterator[BufferedWriter]:
        """A file to fill, which then takes the place of ``path``."""
        directory = path.rpartition("/")[0]
        if directory:
            self.make_directory(directory)
        before = self.status(path)
        if before is not None and stat.S_ISDIR(before.st_mode):
            raise refusal(path, "is a directory, but a file is needed here")
        kept = before if before is not None and stat.S_ISREG(before.st_mode) else None
        with self._parent(path) as (parent, name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            temporary = f".workbook-{secrets.token_hex(8)}"
            descriptor = os.open(temporary, flags, 0o600, dir_fd=parent)
            try:
                with open(descriptor, "wb") as file:
                    if kept:
                        os.fchown(descriptor, kept.st_uid, kept.st_gid)
                    os.fchmod(descriptor, mode if mode is not None else kept.st_mode & 0o777 if kept else 0o644)
                    yield file
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                os.unlink(temporary, dir_fd=parent)
                raise
