"""Executes one notebook with papermill, in the process that ``notebooks`` starts for it."""

import logging
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import papermill
from jupyter_client.kernelspec import NoSuchKernel
from nbformat import NotebookNode
from nbformat.reader import NotJSONError
from nbformat.validator import NotebookValidationError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.log import logger
from traitlets.config import Config

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.signals import end_with_parent
from atomic_lib.pipeline.failures import cell_failure
from atomic_lib.pipeline.output_limit import OutputLimit

_ENGINE = "workbook"


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """papermill's client, which keeps no more output than the limit."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limit = OutputLimit()

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        limited = self._limit.limited(msg)
        return super().process_message(limited, cell, cell_index) if limited else None


class _Engine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """papermill's engine, with our client and a kernel that ends when this process ends."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        client = _Client(
            nb_man, kernel_name=kernel_name, log=logger, stderr_file=options["stderr_file"], config=options["config"]
        )
        client.execute(preexec_fn=partial(end_with_parent, signal.SIGKILL))


def execute(notebook: Path, scratch: Path, parameters: Mapping[str, object]) -> WorkbookError | None:
    """Execute a notebook into ``scratch``, where only this user can connect to its kernel; returns its error, if any.

    Raises whatever papermill raises if the kernel dies or a file cannot be read or written.
    """
    logger.setLevel(logging.CRITICAL)  # what it logs is in the error that it raises
    papermill_engines.register(_ENGINE, _Engine)
    configuration = {
        "KernelManager": {
            "transport": "ipc",
            "ip": str(scratch / "kernel"),
            "connection_file": str(scratch / "kernel.json"),
        },
        "NotebookClient": {
            # otherwise a kernel that ends normally prints what looks like an error
            "extra_arguments": ["--IPKernelApp.log_level=CRITICAL"],
            "iopub_timeout": 60,  # seconds; a busy machine takes more than the default 4 to pass on much output
            "store_widget_state": False,
        },
    }
    try:
        executed = papermill.execute_notebook(
            str(notebook),
            str(scratch / notebook.name),
            parameters=dict(parameters),
            engine_name=_ENGINE,
            cwd=str(notebook.parent),
            progress_bar=False,
            stderr_file=sys.stderr,
            config=Config(configuration),
        )
    except PapermillExecutionError as error:
        return cell_failure(error.ename, error.evalue)
    except (NotJSONError, NotebookValidationError, UnicodeDecodeError) as error:
        return _refused(notebook, f"not a notebook: {error}".partition("\n")[0])
    except NoSuchKernel as error:
        return _refused(notebook, f"no kernel {error.name!r} is installed")
    return _unexecuted(notebook, executed)


def _unexecuted(notebook: Path, executed: NotebookNode) -> SetupError | None:
    """The error for a notebook whose last cell did not run, although none failed: a cell may have called exit()."""
    code = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    cells = [cell for cell in code if "injected-parameters" not in cell.metadata.get("tags", [])]  # papermill's own
    if not cells:
        return _refused(notebook, "has no code to execute")
    ran = [cell for cell in cells if cell.execution_count is not None]
    if cells[-1].execution_count is None:
        return _refused(notebook, f"ended after {len(ran)} of {len(cells)} cells")
    return None


def _refused(notebook: Path, reason: str) -> SetupError:
    return SetupError(
        f"{notebook.parent.name}/{notebook.name}: {reason}",
        hint=f"repair it, or restore it: git restore {notebook.parent.name}/{notebook.name}",
    )
