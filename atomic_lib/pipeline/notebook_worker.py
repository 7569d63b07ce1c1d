"""Executes one notebook with papermill, in the process that ``notebooks`` starts for it."""

import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_core.paths import jupyter_path
from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode
from nbformat.reader import NotJSONError
from nbformat.validator import NotebookValidationError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.log import logger
from traitlets.config import Config

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.progress import duration
from atomic_lib.base.signals import end_with_parent
from atomic_lib.pipeline.failures import cell_failure
from atomic_lib.pipeline.output_limit import OutputLimit, without_progress

_ENGINE = "workbook"
_SAVE_SECONDS = 1
"""Saving a long notebook takes longer than a short cell. What was not saved is lost if this process is killed."""


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """papermill's client, which keeps no more output than the limit, and no progress lines: they go to ``tell``."""

    def __init__(self, *arguments: Any, tell: Callable[[str], None], limit: OutputLimit, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limit, self._shown = limit, OutputLimit()
        self._tell = tell

    def create_kernel_manager(self) -> Any:
        manager = super().create_kernel_manager()
        # By default it also loads IPython, to ask for a directory from the time before Jupyter.
        manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=jupyter_path("kernels"))
        return manager

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        if msg["msg_type"] == "stream" and msg["content"]["name"] == "stderr":
            shown = self._shown.limited(msg)
            for line in shown["content"]["text"].splitlines() if shown else ():
                self._tell(line)
            msg = without_progress(msg)
        limited = self._limit.limited(msg)
        return super().process_message(limited, cell, cell_index) if limited else None


class _Engine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """papermill's engine, with our client and a kernel that ends when this process ends."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        own = {name: options[name] for name in ("tell", "limit", "config")}
        client = _Client(nb_man, kernel_name=kernel_name, log=logger, timeout=options["execution_timeout"], **own)
        with seldom_saved(nb_man):
            client.execute(preexec_fn=partial(end_with_parent, signal.SIGKILL))


@contextmanager
def seldom_saved(manager: Any) -> Iterator[None]:
    """In this block, have papermill save a notebook once a second at most, not twice for each cell."""
    save = manager.save

    def save_if_due() -> None:
        if (manager.now() - manager.last_save_time).total_seconds() >= _SAVE_SECONDS:
            save()

    manager.save = save_if_due
    try:
        yield
    finally:
        manager.save = save


def execute(
    notebook: Path, scratch: Path, parameters: Mapping[str, object], tell: Callable[[str], None], cell_seconds: int
) -> WorkbookError | None:
    """Execute a notebook into ``scratch``, where only this user can connect to its kernel; returns its error, if any.

    ``tell`` gets each line that a cell writes to its standard error, at once; progress lines are not stored.
    ``cell_seconds``: how long a cell may take.

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
    limit = OutputLimit()
    try:
        if parameters and (lacking := _without_parameters(notebook)):
            return lacking
        executed = papermill.execute_notebook(
            str(notebook),
            str(scratch / notebook.name),
            parameters=dict(parameters),
            engine_name=_ENGINE,
            cwd=str(notebook.parent),
            progress_bar=False,
            execution_timeout=cell_seconds,
            tell=tell,
            limit=limit,
            config=Config(configuration),
        )
    except CellTimeoutError:
        reason = f"a cell took more than {duration(cell_seconds)}, and was stopped"
        hint = f"the executed notebook shows which; to restore it: {_restore(notebook)}"
        return SetupError(f"{_name(notebook)}: {reason}", hint=hint)
    except PapermillExecutionError as error:
        return cell_failure(error.ename, error.evalue)
    except (NotJSONError, NotebookValidationError, UnicodeDecodeError) as error:
        return _refused(notebook, f"not a notebook: {error}".partition("\n")[0])
    except NoSuchKernel as error:
        return _refused(notebook, f"no kernel {error.name!r} is installed")
    return _refused(notebook, limit.reached) if limit.reached else _unexecuted(notebook, executed)


def _without_parameters(notebook: Path) -> SetupError | None:
    """The error for a notebook without the cell that parameters replace: its cells would use values of their own."""
    cells = nbformat.read(notebook, as_version=4).cells  # type: ignore[no-untyped-call]
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    if tagged or not any(cell.cell_type == "code" for cell in cells):
        return None
    return _refused(notebook, "has no cell tagged 'parameters'")


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
    return SetupError(f"{_name(notebook)}: {reason}", hint=f"repair it, or restore it: {_restore(notebook)}")


def _name(notebook: Path) -> str:
    return f"{notebook.parent.name}/{notebook.name}"


def _restore(notebook: Path) -> str:
    return f"git restore {_name(notebook)}"
