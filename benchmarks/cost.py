"""The cost of a function call: wall time, processor time, and the memory of its largest process."""

import os
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.signals import adopt_orphans

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Cost:
    """``cpu_seconds``: user and system time of this process and of all that it started.

    ``peak_bytes``: the largest resident memory of any one of these processes, not their sum, which
    steps that run one after another never reach.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def together(*costs: Cost) -> Cost:
    """The cost of work that was done one after another."""
    return Cost(
        sum(cost.wall_seconds for cost in costs),
        sum(cost.cpu_seconds for cost in costs),
        max(cost.peak_bytes for cost in costs),
    )


def costed(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> tuple[_T, Cost]:
    """The result of ``work`` and its cost.

    The kernel keeps one high-water mark of memory for the whole life of a process, so work before
    this call counts in ``peak_bytes``; ``in_own_process`` avoids that.
    """
    # bubblewrap by itself does not wait for the first process of its namespace: getrusage(2) would lack its usage
    adopt_orphans()
    wall, cpu = time.monotonic(), _cpu_seconds()
    result = work(*args, **kwargs)
    wall_seconds = time.monotonic() - wall
    _wait_for_all()
    return result, Cost(wall_seconds, _cpu_seconds() - cpu, _peak_bytes())


def in_own_process(timeout_seconds: float, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """The result of ``work`` (a module-level function), run in a new process.

    Raises WorkbookError when ``work`` raises one, when the time is up, and when the process is killed.
    """
    context = get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_send_result, args=(send, work, args, kwargs))
    process.start()
    send.close()
    try:
        if not receive.poll(timeout_seconds):
            raise WorkbookError(f"{work.__name__}: not done after {timeout_seconds:g} s")
        result = receive.recv()
    except EOFError:
        raise WorkbookError(f"{work.__name__}: the process ended without a result") from None
    finally:
        process.kill()  # this ends its commands, too
        process.join()
    if isinstance(result, WorkbookError):
        raise result
    return result  # type: ignore[no-any-return]


def _send_result(send: Connection, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    try:
        send.send(work(*args, **kwargs))
    except WorkbookError as error:
        send.send(error)


def _wait_for_all() -> None:
    """Wait for adopted processes: a child's usage counts once it was waited for (getrusage(2))."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _usages() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _cpu_seconds() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in _usages())


def _peak_bytes() -> int:
    # Of this process itself: ru_maxrss (in kilobytes) would include what its parent held when it forked.
    status = Path("/proc/self/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024
