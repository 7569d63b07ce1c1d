"""Limits of a command: control groups where this process may make them, resource limits everywhere.

A control group limits the processes and the memory of a command and all its children together; it
needs a cgroup file system (version 1 or 2) that this process may write. The host's root may, and hands
a group of its own to the namespace that it enters. Without one, the memory of each process is limited,
and the processes of its user, from which Linux exempts the host's root.

Sources: cgroups(7), setrlimit(2), the kernel's admin-guide/cgroup-v1 and cgroup-v2.
"""

import itertools
import os
import select
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_MOUNTED = Path("/sys/fs/cgroup")
_PREFIX = "workbook-"
_SUBTREE = "cgroup.subtree_control"
_PROCESSES, _MEMORY = "pids.max", ("memory.max", "memory.limit_in_bytes")
_NO_SWAP = {"memory.swap.max": "0", "memory.oom.group": "1"}
_GONE_SECONDS = 10.0
_POLL_SECONDS = 0.01
_SIGNAL_STATUS = 128
_COUNTER = itertools.count()

NO_CORE = "RLIMIT_CORE=0"
"""The limit of every command: no file with its memory if it crashes."""


@dataclass(frozen=True)
class Limits:
    """What a command in an installroot may use, together with its children; each parameter is positive.

    The defaults are a multiple of what dnf, dracut and semodule need. ``file_size_mib`` is the size
    of one file, ``open_files`` are those of one process.
    """

    seconds: int = 1800
    processes: int = 2048
    memory_mib: int = 4096
    file_size_mib: int = 2048
    open_files: int = 8192


@dataclass(frozen=True)
class ControlGroup:
    """The control groups of one command; none where this process may not make them."""

    limits: Limits
    directories: tuple[Path, ...]

    def as_words(self) -> list[str]:
        """The limits for ``confine``."""
        words = [f"RLIMIT_FSIZE={self.limits.file_size_mib << 20}", f"RLIMIT_NOFILE={self.limits.open_files}"]
        if not self.directories:
            words += [f"RLIMIT_DATA={self.limits.memory_mib << 20}", f"RLIMIT_NPROC={self.limits.processes}"]
        return [*(f"cgroup={path}" for path in self.directories), *words, NO_CORE]

    def reached(self, status: int | None) -> str:
        """The limit that a command with this exit status reached, as a phrase; empty if none is known."""
        if self._count("memory.events", "oom_kill") or self._count("memory.oom_control", "oom_kill"):
            return f"it needed more than {self.limits.memory_mib} MiB of memory (script_memory_mib)"
        if status is None:
            return f"it took more than {self.limits.seconds} s (script_timeout_seconds)"
        if status in (-signal.SIGXFSZ, _SIGNAL_STATUS + signal.SIGXFSZ):
            return f"it wrote a file of more than {self.limits.file_size_mib} MiB (script_file_size_mib)"
        if self._count("pids.events", "max"):  # a script may go on without what it did not start
            return f"it started more than {self.limits.processes} processes (script_processes)"
        return ""

    def _count(self, file: str, name: str) -> int:
        for path in self.directories:
            if (path / file).exists():
                rows = dict(line.split() for line in (path / file).read_text().splitlines())
                return int(rows.get(name, 0))
        return 0


@contextmanager
def control_group(limits: Limits) -> Iterator[ControlGroup]:
    """Control groups with ``limits`` for one command; leaving the block waits until its processes are gone."""
    name = f"{_PREFIX}{os.getpid()}-{next(_COUNTER)}"
    directories = _make_groups(limits, name) if os.geteuid() == 0 else ()
    try:
        yield ControlGroup(limits, directories)
    finally:
        for path in directories:
            _end(path)


def hand_over(owner: int) -> list[Path]:
    """Move this process to control groups of its own, in which the host's user ``owner`` may make others.

    Returns the groups, for ``remove_after``; none where this is not possible.
    """
    name, groups = f"{_PREFIX}{os.getpid()}-all", list[Path]()
    with suppress(OSError):
        for controller, files in (("memory", _MEMORY), ("pids", (_PROCESSES,))):
            group = _make_group(controller, files, name)
            if group and group not in groups:
                groups.append(group)
                _give(group, owner)
                if (group / _SUBTREE).exists():  # version 2 has no groups below one with processes
                    (group / _SUBTREE).write_text("+memory +pids")
                    group = group / "own"
                    group.mkdir()
                    _give(group, owner)
                (group / "cgroup.procs").write_text("0")
    return groups


def _give(group: Path, owner: int) -> None:
    for path in (group, *(group / name for name in ("cgroup.procs", "cgroup.threads", _SUBTREE))):
        if path.exists():
            os.chown(path, owner, owner)


def remove_after(process: int, groups: Sequence[Path]) -> None:
    """Start a process that waits for the end of another one, removes the groups with all below them, and ends."""
    if not groups or os.fork():
        return
    try:  # whatever happens, it must not go on as a second copy of its caller
        os.setsid()
        waited_for = os.pidfd_open(process)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):  # a pipe that the caller reads would not end
            os.dup2(nothing, descriptor)
        for group in groups:
            (group.parent / "cgroup.procs").write_text("0")  # out of the group that is to be removed
        select.select([waited_for], [], [])
        for group in groups:
            for path in (*sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True), group):
                _end(path)
    finally:
        os._exit(0)


def _make_groups(limits: Limits, name: str) -> tuple[Path, ...]:
    """A new group for processes and one for memory, which are the same in version 2; none without both."""
    memory = _make_group("memory", _MEMORY, name)
    processes = _make_group("pids", (_PROCESSES,), name) if memory else None
    if not memory or not processes:
        if memory:
            memory.rmdir()
        return ()
    groups = tuple(dict.fromkeys((processes, memory)))
    limited = {_PROCESSES: str(limits.processes), **dict.fromkeys(_MEMORY, str(limits.memory_mib << 20)), **_NO_SWAP}
    try:
        for path in (group / file for group in groups for file in limited):
            if path.exists():
                path.write_text(limited[path.name])
    except OSError:
        for group in groups:
            _end(group)
        raise
    return groups


def _make_group(controller: str, files: Sequence[str], name: str) -> Path | None:
    """A new group below this process's, or beside it (version 2 allows none below a group with processes).

    None unless it has one of ``files``, which limit what the controller counts.
    """
    for parent in _parents(controller):
        group = parent / name
        with suppress(OSError):
            _remove_leftovers(parent)
            group.mkdir(exist_ok=True)
            if any((group / file).exists() for file in files):
                return group
            group.rmdir()
    return None


def _parents(controller: str, proc: Path = Path("/proc/self/cgroup"), mounted: Path = _MOUNTED) -> list[Path]:
    own = dict(line.split(":", 2)[1:] for line in proc.read_text().splitlines())
    group = next((path for names, path in own.items() if controller in names.split(",")), None)
    if group is not None:
        return [mounted / controller / group.lstrip("/")]
    top = mounted / own.get("", "/").lstrip("/")
    return [top] if top == mounted else [top, top.parent]


def _remove_leftovers(parent: Path) -> None:
    """Remove the empty groups of workbooks that were killed."""
    for path in parent.glob(f"{_PREFIX}*-*"):
        owner = path.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", owner).exists():
            with suppress(OSError):
                path.rmdir()


def _end(group: Path) -> None:
    """Remove a group once its processes are gone: they end with the command, but a moment later."""
    deadline = time.monotonic() + _GONE_SECONDS
    while group.exists() and time.monotonic() < deadline:
        with suppress(OSError):
            group.rmdir()
            return
        time.sleep(_POLL_SECONDS)
