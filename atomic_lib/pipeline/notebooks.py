"""Executes notebooks with papermill, each in a process of its own."""

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path


@dataclass(frozen=True)
class Execution:
    """A notebook to execute, the path of the executed notebook, and its parameters."""

    notebook: Path
    output: Path
    parameters: Mapping[str, object]


def execute_all(executions: Sequence[Execution], *, workers: int) -> list[str]:
    """Execute notebooks, at most ``workers`` at once; returns an error message for each, empty if it succeeded."""
    with get_context("spawn").Pool(min(workers, len(executions)), initializer=_live_with_parent) as pool:
        return pool.map(_problem, executions, chunksize=1)


def _live_with_parent() -> None:
    """Leave Ctrl-C to the parent, which then stops this process, and end if the parent is killed.

    The kernel ends with this process, and the processes of a notebook end with its kernel.
    """
    os.setsid()
    parent = parent_process()

    def watch() -> None:
        if parent:
            parent.join()
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _problem(execution: Execution) -> str:
    """Execute one notebook with papermill; only this user can connect to its kernel."""
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="kernel-") as sockets:
        configuration = {
            "KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"},
            # otherwise a kernel that ends normally prints what looks like an error
            "NotebookClient": {"extra_arguments": ["--IPKernelApp.log_level=CRITICAL"]},
        }
        try:
            papermill.execute_notebook(
                str(execution.notebook),
                str(execution.output),
                parameters=dict(execution.parameters),
                cwd=str(execution.notebook.parent),
                progress_bar=False,
                stderr_file=sys.stderr,
                config=Config(configuration),
            )
        except PapermillExecutionError as error:
            return f"{error.ename}: {error.evalue}"
    return ""
