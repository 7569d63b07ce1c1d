"""Executes notebooks with papermill, each in a process of its own.

Whatever happens to a notebook, its kernel or its process is the failure of this notebook alone.
"""

import os
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import SpawnProcess
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import ALIVE_VARIABLE, alive_seconds, say
from atomic_lib.base.signals import adopt_orphans, unwind
from atomic_lib.base.store import USES_VARIABLE, remove_tree
from atomic_lib.pipeline.failures import ended_process, explained
from atomic_lib.pipeline.side_by_side.orphans import end_descendants
from atomic_lib.pipeline.side_by_side.signs import Signs

USES_FILE = ".uses"
"""Beside executed notebooks: the stored results that they used, one ``STAGE/KEY`` in a line, in any order."""
CELL_SECONDS = 6 * 3600
"""How long a cell may take. What takes long in one has a shorter limit of its own, so this ends a cell that hangs."""
_PREFIX = "workbook-notebook-"
_PREFIXES = (_PREFIX, "workbook-dnf-", "workbook-run-", "workbook-worker-")
"""The names of scratch directories: of an executed notebook; of a dnf and of a run that a notebook has started; of a
worker of sweeps."""
_STOP_SECONDS = 15
"""How long a stopped process may take to shut down its kernel, which stops the commands of its cell."""


@dataclass(frozen=True)
class Execution:
    """A notebook to execute, the path of the executed notebook, and its parameters.

    ``cell_seconds``: how long a cell may take; then its kernel is stopped.
    """

    notebook: Path
    output: Path
    parameters: Mapping[str, object]
    cell_seconds: int = CELL_SECONDS


def execute_all(
    executions: Sequence[Execution],
    *,
    workers: int,
    ended: Callable[[int, WorkbookError | None], object] = lambda *_: None,
) -> list[WorkbookError | None]:
    """Execute notebooks, at most ``workers`` at once; returns the error of each, None if all its cells ran.

    The executed notebook is written also after an error, as far as it got, without traces of this machine. ``ended`` is
    called with the place of each in ``executions``, and its error, as soon as it has ended.
    """
    remove_abandoned()
    errors: list[WorkbookError | None] = [None] * len(executions)
    signs = Signs()
    waiting, running = deque(enumerate(executions)), dict[connection.Connection, tuple[int, _Worker]]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                number, execution = waiting.popleft()
                try:
                    worker = _Worker(execution, signs)
                except OSError as error:
                    errors[number] = explained(error)
                    ended(number, errors[number])
                else:
                    running[worker.receiver] = number, worker
            for ready in connection.wait(list(running)):
                number, worker = running[ready]  # type: ignore[index]  # it returns what it was given
                if worker.has_ended():
                    errors[number] = worker.result()
                    del running[ready]  # type: ignore[arg-type]
                    ended(number, errors[number])
    finally:
        for _, worker in running.values():
            worker.process.terminate()
        for _, worker in running.values():
            worker.close()
    return errors


class _Worker:
    """A process that executes one notebook in a scratch directory, which holds its sockets and temporary files."""

    def __init__(self, execution: Execution, signs: Signs) -> None:
        """Start the process; raises OSError if it cannot be started."""
        self._execution, self._signs = execution, signs
        self._error: WorkbookError | None = None
        # in /tmp, as the path of a socket holds at most 107 bytes
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        context = get_context("spawn")
        self.receiver, sender = context.Pipe(duplex=False)
        self.process: SpawnProcess = context.Process(target=_work, args=(execution, self._scratch, sender))
        try:
            self.process.start()
        except BaseException:
            remove_tree(self._scratch)
            raise
        finally:
            sender.close()  # so that the receiver ends with the process

    def has_ended(self) -> bool:
        """Read one message of the process: what it says, which is shown, or that the notebook has ended."""
        try:
            message: str | WorkbookError | None = self.receiver.recv()
        except (EOFError, OSError):  # it was killed, maybe in the middle of a message
            self.process.join()
            message = ended_process(self._execution.notebook.name, self.process.exitcode or 0)
        if isinstance(message, str):
            say(self._signs.joined(self, message))
            return False
        self._signs.forget(self)
        self._error = message
        return True

    def result(self) -> WorkbookError | None:
        """Wait for the end of the process, publish the executed notebook; returns the error, if there is one."""
        error = self._error
        try:
            self._publish()
        except (OSError, WorkbookError) as failure:
            error = error or explained(failure)
        finally:
            self.close()
        return error

    def close(self) -> None:
        """Wait for the end of the process, kill it if it takes too long, and remove its scratch directory."""
        self.process.join(_STOP_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.receiver.close()
        remove_tree(self._scratch)

    def _publish(self) -> None:
        from atomic_lib.report.page.export import remove_traces  # the process of a notebook does without it

        executed = self._scratch / self._execution.notebook.name
        if executed.exists():
            text = executed.read_text(encoding="utf-8").replace(f"{self._scratch}/", "")
            text = text.replace(str(self._scratch), ".")
            executed.write_text(text, encoding="utf-8")
            remove_traces(executed, self._execution.output)
        uses = self._scratch / USES_FILE
        if uses.exists():
            with open(self._execution.output.with_name(USES_FILE), "a", encoding="utf-8") as all_uses:
                all_uses.writelines(sorted({*uses.read_text(encoding="utf-8").splitlines(keepends=True)}))


def remove_abandoned() -> None:
    """Remove the scratch directories of killed processes; others may have directories of such a name in /tmp."""
    temporary = Path(tempfile.gettempdir())
    for path in (path for prefix in _PREFIXES for path in temporary.glob(f"{prefix}*-*")):
        pid = path.name.split("-")[2]
        with suppress(FileNotFoundError):  # another run removed it
            if path.lstat().st_uid == os.geteuid() and not (pid.isdigit() and Path("/proc", pid).exists()):
                remove_tree(path)


def _work(execution: Execution, scratch: Path, sender: connection.Connection) -> None:
    """Execute one notebook; sends each line for the terminal, and at last the error or None."""
    _live_with_parent(scratch)
    signal.signal(signal.SIGTERM, _unwind_silently)
    os.environ["TMPDIR"] = str(scratch)
    os.environ[USES_VARIABLE] = str(scratch / USES_FILE)
    os.environ[ALIVE_VARIABLE] = f"{alive_seconds():g}"  # for the kernel, whose standard error is no terminal
    try:
        from atomic_lib.pipeline.notebook_worker import execute

        error = execute(execution.notebook, scratch, execution.parameters, sender.send, execution.cell_seconds)
    except Exception as failure:
        error = explained(failure)
    finally:
        end_descendants()  # the commands of a kernel that was killed
    sender.send(error)


def _unwind_silently(number: int, frame: object) -> None:
    """A signal handler as ``unwind``, without what nbclient and asyncio then report of the kernel that is shut down."""
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    unwind(number, frame)


def _live_with_parent(scratch: Path) -> None:
    """Leave Ctrl-C to the parent, which then stops this process, and end with all descendants if the parent is killed.

    If this process is killed, too, the kernel ends with it, and the processes of a notebook end with its kernel.
    """
    os.setsid()
    adopt_orphans()
    parent = parent_process()

    def watch() -> None:
        if parent:
            parent.join()
            end_descendants()
            remove_tree(scratch)
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
