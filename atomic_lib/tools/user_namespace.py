"""Runs a program in a user namespace whose root is not the host's root, with mounts of its own.

    python -m atomic_lib.tools.user_namespace [--other-ids] PROGRAM ARGUMENT…

An ordinary user is root there; the other ids are the user's subordinate ids, set by newuidmap(1). Started by the
host's root, all ids are of a range that belongs to nobody, and only the directories in ``Directories.own`` are
written as root, through id-mapped mounts. ``--other-ids``: started in such a namespace, in one below it whose root
is another of its users. Sources: user_namespaces(7), mount_setattr(2), and systemd's UIDS-GIDS for the range.
"""

import ctypes
import os
import platform
import shlex
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, cache_directory
from atomic_lib.base.progress import say
from atomic_lib.base.signals import end_with_parent
from atomic_lib.tools.confinement.limits import hand_over, remove_after
from atomic_lib.tools.subordinate_ids import ID_COUNT, ordinary_maps

ROOT_RANGE_START = 0x7000_0000
"""The host's id of the namespace's root, if the host's root starts it: above all ranges that systemd gives away."""

_MARK = "WORKBOOK_NAMESPACE"
_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_CLONE_TREE, _FROM_EMPTY_PATH, _ID_MAPPED = 0x1, 0x4, 0x00100000
_PRIVATE, _RECURSIVE, _NOSUID_NODEV = 1 << 18, 1 << 14, 0x2 | 0x4
_OTHER_ORDER = f"0 {ID_COUNT // 2} {ID_COUNT // 2}\n{ID_COUNT // 2} 0 {ID_COUNT // 2}"
_HINT = "./workbook doctor shows what is missing"
_OWN_TMPFS = f"mode=755,uid={ROOT_RANGE_START},gid={ROOT_RANGE_START}".encode()
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Directories:
    """What a program needs of a host that only its root may enter: ``own`` to write, ``others`` to read."""

    own: tuple[Path, ...]
    others: tuple[Path, ...]


def is_inside() -> bool:
    """Whether this process is root of a namespace that ``enter`` made."""
    return os.geteuid() == 0 and os.environ.get(_MARK) == _mark()


def require_namespace() -> None:
    """Raise WorkbookError unless ``is_inside``."""
    if not is_inside():
        raise WorkbookError(
            "composing needs a namespace of its own: it sets the owners and labels of another system",
            hint="start it with ./workbook, or in a notebook whose kernel ./workbook lab lists; another program: "
            f"{shlex.join([sys.executable, '-m', __spec__.name])} PROGRAM",
        )


def enter(words: Sequence[str], *, other_ids: bool = False) -> NoReturn:
    """Become the program ``words`` in the namespace, with mounts that end with the program.

    ``other_ids``: in a namespace below it, with the same ids in another order, so root is another of its users.
    Where a host without user namespaces is used by its root, it goes on as the host's root, and says so.

    Raises WorkbookError if the host or its configuration does not allow it, with the line that does.
    """
    if not is_inside():
        _become_root()
    try:
        if other_ids:
            _join((_OTHER_ORDER,) * 2, write=_write_map)
        _unshare_mounts()
    except OSError as error:
        raise _refused(error) from None
    os.environ[_MARK] = _mark()
    with suppress(OSError):  # the same directory, as it is mounted here
        os.chdir(os.getcwd())
    os.execvp(words[0], list(words))


def needed() -> Directories:
    """The directories that the workbook needs: its own are the checkout and the cache."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    python = Path(sys.executable).resolve()
    return Directories((CHECKOUT, cache), (Path(sys.base_prefix), Path(sys.prefix), python.parent.parent))


def outer_root() -> int:
    """The user id of this namespace's root in the one around it, which is the host's unless ``other_ids`` was asked."""
    return int(Path("/proc/self/uid_map").read_text().split()[1])


def _become_root() -> None:
    if os.geteuid() != 0:
        try:
            _join(ordinary_maps(), write=_ask_newuidmap)
        except OSError as error:
            raise _refused(error) from None
    elif _has_all_ids():
        directories = needed()
        try:
            remove_after(os.getpid(), hand_over(ROOT_RANGE_START))
            _unshare_mounts()
            _join((f"0 {ROOT_RANGE_START} {ID_COUNT}",) * 2, write=_write_map, directories=directories)
        except OSError as error:
            say(f"! no user namespace ({error.strerror}): composing runs as the host's root")
        for path in (*directories.others, *directories.own):
            if not os.access(path, os.R_OK | os.X_OK):
                hint = f"chmod -R go+rX {shlex.quote(str(path))}"
                raise WorkbookError(f"{path}: only its owner may read it", hint=hint)


def _unshare_mounts() -> None:
    """Give this process mounts of its own, which end with it and its children."""
    _call("unshare", _NEW_MOUNTS)
    _call("mount", b"none", b"/", None, _PRIVATE | _RECURSIVE, None)


def _mark() -> str:
    return str(os.stat("/proc/self/ns/mnt").st_ino)


def _has_all_ids() -> bool:
    """Whether this namespace is the host's; in another one, such as a container's, root is not the host's root."""
    return [int(word) for word in Path("/proc/self/uid_map").read_text().split()] == [0, 0, 2**32 - 1]


def _write_map(process: int, kind: str, line: str) -> None:
    Path(f"/proc/{process}/{kind}_map").write_text(line)


def _ask_newuidmap(process: int, kind: str, line: str) -> None:
    command.run([f"new{kind}map", str(process), *line.split()], hint=_HINT)


def _join(
    maps: tuple[str, str], *, write: Callable[[int, str, str], None], directories: Directories | None = None
) -> None:
    """Make a user namespace with these maps of user and group ids, and become its root.

    ``write`` gives a process the map of a kind (uid, gid). ``directories``: what to mount for it there.

    Raises OSError if the host refuses it, and WorkbookError if newuidmap does.
    """
    kept = _kvm_group()
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:  # holds the namespace until this process has joined it
        try:
            end_with_parent(signal.SIGKILL)
            os.close(ready)
            refusal = _LIBC.unshare(_NEW_USER) and ctypes.get_errno()
            os.write(told, struct.pack("i", refusal))
            signal.pause()
        finally:
            os._exit(0)
    os.close(told)
    try:
        answer = os.read(ready, 4)
        if refusal := struct.unpack("i", answer)[0] if answer else 1:
            raise OSError(refusal, os.strerror(refusal))
        for kind, line in zip(("uid", "gid"), maps, strict=True):
            write(child, kind, line)
        namespace = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
        if directories:
            _mount(directories, namespace)
            os.setgroups(kept)
        groups = set(os.getgroups())
        _call("setns", namespace, _NEW_USER)
        os.close(namespace)
    finally:
        os.close(ready)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not kept or kept[0] not in groups:
        os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _kvm_group() -> list[int]:
    """The group that may use /dev/kvm: the only one of the host that is kept, where the process has it."""
    kvm = Path("/dev/kvm")
    return [kvm.stat().st_gid] if kvm.exists() and kvm.stat().st_gid else []


def _mount(directories: Directories, namespace: int) -> None:
    """Mount what the namespace needs of the host where its root finds it, beneath directories that all may enter.

    A path through symbolic links leads there as on the host. Raises OSError before anything is mounted, and
    WorkbookError after that.
    """
    real = {path: path.resolve() for path in (*directories.own, *directories.others)}
    trees = {path: _tree(path, namespace) for path in outermost([real[path] for path in directories.own])}
    others = outermost([real[path] for path in directories.others])
    trees |= {path: _tree(path, None) for path in others if not _is_below(path, trees)}
    parents = [parent for path in (*trees, *real) for parent in path.parents]
    covers = outermost([parent.resolve() for parent in parents if not _is_open(parent)])
    try:
        for cover in covers:
            _call("mount", b"tmpfs", os.fsencode(cover), b"tmpfs", _NOSUID_NODEV, _OWN_TMPFS)
        for path, tree in trees.items():
            _make_directories(path)
            _call("syscall", _MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(path), _FROM_EMPTY_PATH)
            os.close(tree)
        for path in (path for path in real if not path.exists()):
            _make_directories(path.parent)
            path.symlink_to(real[path])
    except OSError as error:
        hint = "use a checkout and a cache whose paths are no symbolic links"
        raise WorkbookError(
            f"checkout and cache cannot be mounted in a namespace: {error.strerror}", hint=hint
        ) from None


def _make_directories(path: Path) -> None:
    for new in [one for one in reversed((path, *path.parents)) if not one.exists()]:
        new.mkdir()
        os.chown(new, ROOT_RANGE_START, ROOT_RANGE_START)


def _tree(path: Path, namespace: int | None) -> int:
    """A mount of ``path`` that is not in place yet; with a namespace, root's files are its root's."""
    tree = _call("syscall", _OPEN_TREE, _AT_FDCWD, os.fsencode(path), _CLONE_TREE | os.O_CLOEXEC | _AT_RECURSIVE)
    if namespace is not None:
        attributes = struct.pack("=QQQQ", _ID_MAPPED, 0, 0, namespace)
        _call("syscall", _MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH | _AT_RECURSIVE, attributes, len(attributes))
    return tree


def outermost(paths: Sequence[Path]) -> list[Path]:
    """The paths without those below another one of them."""
    return [path for path in dict.fromkeys(paths) if not _is_below(path.parent, paths)]


def _is_below(path: Path, others: Sequence[Path] | dict[Path, int]) -> bool:
    return any(path.is_relative_to(other) for other in others)


def _is_open(directory: Path) -> bool:
    """Whether every user may enter the directory."""
    return bool(directory.stat().st_mode & 0o001)


def _call(name: str, *arguments: object) -> int:
    """Call a function of libc; raises OSError if it fails."""
    result = int(getattr(_LIBC, name)(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _refused(error: OSError) -> WorkbookError:
    return WorkbookError(
        f"this host does not allow namespaces: {error.strerror} (Linux {platform.release()})",
        hint="in a container: allow it to create namespaces; ./workbook doctor shows what else is missing",
    )


if __name__ == "__main__":
    try:
        other = sys.argv[1:2] == ["--other-ids"]
        enter(sys.argv[1 + other :], other_ids=other)
    except WorkbookError as refusal:
        sys.exit(f"error: {refusal}")
