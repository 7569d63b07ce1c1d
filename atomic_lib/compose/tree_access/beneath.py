"""Finds paths beneath a directory, with links resolved as if this directory were the root; names what is wrong there.

The kernel does this itself (openat2(2) with ``RESOLVE_IN_ROOT``, Linux 5.6). Where it does not
(an older kernel, a seccomp filter), ``walk_to`` goes the same way step by step, and holds each
directory open, so that a directory renamed meanwhile cannot lead it out.
"""

import ctypes
import errno
import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from atomic_lib.base.errors import WorkbookError

_SYS_OPENAT2 = 437  # on every architecture
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_IN_ROOT = 0x10
_FLAGS = os.O_PATH | os.O_CLOEXEC
_MOST_LINKS = 40  # as in path_resolution(7)
_MOST_TRIES = 100
_LIBC = ctypes.CDLL(None, use_errno=True)
_SHOWN_LENGTH = 200
_KINDS = {
    stat.S_IFREG: "a file", stat.S_IFDIR: "a directory", stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


class _OpenHow(ctypes.Structure):
    """``struct open_how`` of linux/openat2.h."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def find_beneath(root: int, path: str, *, follow: bool) -> int:
    """An ``O_PATH`` descriptor of ``path`` beneath the directory descriptor ``root``.

    ``follow``: whether to follow a link in the last component; those before it are always
    followed. The descriptor opens nothing: a FIFO does not block, a device does not notice.

    Raises OSError as open(2) does.
    """
    return _openat2(root, path, follow=follow) if kernel_resolves() else walk_to(root, path, follow=follow)


@cache
def kernel_resolves() -> bool:
    """Whether openat2 works here."""
    root = os.open("/", _FLAGS)
    try:
        os.close(_openat2(root, ".", follow=True))
    except OSError:
        return False
    finally:
        os.close(root)
    return True


def _openat2(root: int, path: str, *, follow: bool) -> int:
    how = _OpenHow(_FLAGS | (0 if follow else os.O_NOFOLLOW), 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    for _ in range(_MOST_TRIES):
        found: int = _LIBC.syscall(
            ctypes.c_long(_SYS_OPENAT2), ctypes.c_long(root), os.fsencode(path), ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )  # fmt: skip
        if found >= 0:
            return found
        # EAGAIN: a rename elsewhere made it impossible to tell whether ".." stays beneath the root
        if (number := ctypes.get_errno()) not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(number, os.strerror(number), path)


def walk_to(root: int, path: str, *, follow: bool) -> int:
    """``find_beneath`` without help of the kernel."""
    parts = deque(_parts(path))
    held = [os.dup(root)]
    links = 0
    try:
        while parts:
            part = parts.popleft()
            if part == "..":
                if len(held) > 1:
                    os.close(held.pop())
                continue
            found = os.open(part, _FLAGS | os.O_NOFOLLOW, dir_fd=held[-1])
            held.append(found)
            if not stat.S_ISLNK(os.fstat(found).st_mode) or not (parts or follow):
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = os.readlink("", dir_fd=found)
            os.close(held.pop())
            while target.startswith("/") and len(held) > 1:
                os.close(held.pop())
            parts.extendleft(reversed(_parts(target)))
        return os.dup(held[-1])
    finally:
        for descriptor in held:
            os.close(descriptor)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def shown(path: str) -> str:
    """A path of a tree as one printable line, from ``/``, with odd bytes and characters as escapes."""
    text = os.fsencode(f"/{path.lstrip('/')}").decode(errors="backslashreplace")
    line = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
    return line if len(line) <= _SHOWN_LENGTH else f"{line[:_SHOWN_LENGTH]}…"


def refusal(path: str, reason: str) -> WorkbookError:
    """The error for a path of a tree that cannot be as it is."""
    return WorkbookError(f"{shown(path)}: {reason}", hint="correct the package or script that brings it into the tree")


def require_inside(path: str) -> None:
    """Raise WorkbookError unless ``path`` names a path from the root of a tree; the empty one is the root."""
    if path and ("\0" in path or {"", ".", ".."} & set(path.split("/"))):
        raise WorkbookError(f"{path!r} is no path inside the tree", hint="name it from the top of the tree")


def require_kind(path: str, descriptor: int, wanted: int) -> None:
    """Raise WorkbookError unless the descriptor of a path has the type ``wanted``, such as S_IFREG."""
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != wanted:
        raise refusal(path, f"is {_KINDS[kind]}, but {_KINDS[wanted]} is needed here")


@contextmanager
def errors_named(path: str) -> Iterator[None]:
    """Turn what the system or Python says of a path into a WorkbookError with this path."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:  # not the tree's fault
            raise
        raise refusal(path, (error.strerror or str(error)).lower()) from error
    except UnicodeEncodeError as error:
        raise WorkbookError(f"{path!r} is no path inside the tree", hint="name it from the top of the tree") from error
