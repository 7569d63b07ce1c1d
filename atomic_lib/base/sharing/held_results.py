"""Results that can be made again: they stay in the store while a process uses them, and the newest for a while after.

A process holds a result that it uses by a shared lock of the kernel, flock(2), which ends with the process, however
that ends. Who removes a result holds it alone, so a process that wants it then waits, and makes it again.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from atomic_lib.base.sharing.shared_files import newest_first
from atomic_lib.base.store import Store

_HELD: dict[Path, int] = {}
"""The descriptors of this process's locks, by their files; they are open until it ends."""


def hold(store: Store, stage: str, key: str) -> bool:
    """Keep a result from ``remove_unused`` until this process ends; False if this process holds it already.

    It need not exist yet: whoever makes it holds it first.
    """
    path = _lock_file(store, stage, key)
    if path in _HELD and _is_open(path, _HELD[path]):
        return False
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _HELD[path] = descriptor
    return True


def remove_unused(store: Store, stage: str, *, keep: int = 0) -> None:
    """Remove the results of a stage that no process holds, but the ``keep`` newest results."""
    for result in newest_first(store.results(stage))[keep:]:
        with open(_lock_file(store, stage, result.name), "a", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            # by one rename, so that nobody ever finds half of it
            with store.scratch(stage) as scratch, suppress(FileNotFoundError):
                os.rename(result, scratch / result.name)


def _lock_file(store: Store, stage: str, key: str) -> Path:
    path = store.root / "locks" / f"use-{stage}-{key}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _is_open(path: Path, descriptor: int) -> bool:
    """Whether the file at ``path`` is the open one: ``clean`` removes it with the store."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
