"""Notebooks executed by papermill, each in a process of its own."""

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Execution:
    """One notebook to execute, where to write it, and its parameters."""

    notebook: Path
    output: Path
    parameters: Mapping[str, Any]


def execute_all(executions: Sequence[Execution], *, workers: int) -> list[str]:
    """Execute notebooks, each in a process of its own; for each the text of what went wrong, or an empty string."""
    with get_context("spawn").Pool(min(workers, len(executions)), initializer=_live_with_parent) as pool:
        return pool.map(_problem, executions, chunksize=1)


def _live_with_parent() -> None:
    """Leave Ctrl-C to the parent, which ends this process; and end with it, should it be killed.

    What a notebook has started ends with its kernel, and that with this process.
    """
    os.setsid()
    parent = parent_process()

    def watch() -> None:
        if parent:
            parent.join()
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _problem(execution: Execution) -> str:
    """Execute one notebook with papermill, its kernel on sockets that only this user can reach."""
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="kernel-") as sockets:
        configuration = {
            "KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"},
            # else each orderly end of a kernel looks like an error on the terminal
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
