"""JupyterLab as ``./workbook lab`` starts it, in a copy of the checkout, for a browser that a test drives."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.paths import CHECKOUT, cache_directory
from atomic_lib.pipeline.lab.lab_server import server_environment, server_words, write_kernel
from tests.browser import Page

ENVIRONMENT = CHECKOUT / ".venv-lab"
_COPIED = ("atomic_lib", "notebooks", "params", "docs")
_START_SECONDS = 180.0
_FOR_TESTS = ("--LabApp.expose_app_in_browser=True", "--ServerApp.port=0", "--ServerApp.port_retries=50")
_SHOWN = "window.jupyterapp?.shell?.currentWidget"
_READY = (
    f"document.querySelector('.jp-NotebookPanel .jp-Cell') && {_SHOWN}?.sessionContext?.kernelDisplayStatus == 'idle' "
)
_READY += f"&& {_SHOWN}.sessionContext.session?.kernel?.connectionStatus == 'connected'"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: the copy of the checkout that it shows, its address with a token, and its ``home``."""

    checkout: Path
    address: str
    home: Path


@contextmanager
def running_lab(directory: Path) -> Iterator[Lab]:
    """JupyterLab in a copy of the checkout in ``directory``; it and its kernels end with the block."""
    checkout, home, server = directory / "checkout", directory / "home", directory / "jupyter"
    for folder in _COPIED:
        shutil.copytree(CHECKOUT / folder, checkout / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "README.md", checkout)
    home.mkdir()
    write_kernel(server, ENVIRONMENT)
    python = str(ENVIRONMENT / "bin/python")
    words = server_words(display=False, root=os.geteuid() == 0)
    words = [python, *(word.replace(str(CHECKOUT), str(checkout)) for word in words[1:]), *_FOR_TESTS]
    own = {"HOME": str(home), "WORKBOOK_CACHE": str(cache_directory()), "PYTHONPATH": str(checkout)}
    passed_on = {name: value for name, value in os.environ.items() if name.startswith("WORKBOOK_")}
    log = directory / "log"
    with command.running(
        words, log=log, cwd=checkout, env=server_environment({**passed_on, **own}, server), stop_seconds=30
    ) as process:
        yield Lab(checkout, _address(process, server, log), home)


def _address(process: command.Background, server: Path, log: Path) -> str:
    """The address that the server writes into a file as soon as it listens."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        for path in server.glob("jpserver-*.json"):
            try:
                said = json.loads(path.read_text())
            except ValueError:  # not written whole yet
                continue
            return f"{said['url']}?token={said['token']}"
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()}")


def open_notebook(page: Page, lab: Lab, name: str, *, width: int, height: int) -> None:
    """Open a notebook, and wait until its kernel is ready."""
    start, _, token = lab.address.partition("?")
    page.visit(f"{start}lab/tree/notebooks/{name}?{token}", width, height=height)
    wait_for_kernel(page, name)


def wait_for_kernel(page: Page, name: str) -> None:
    """Wait until a notebook is shown, in front of others that the window had, and its kernel can be asked."""
    page.wait_for(f"{_SHOWN}?.context?.path == 'notebooks/{name}' && {_READY}", _START_SECONDS)


def run_all_cells(page: Page) -> None:
    """Run all cells of the notebook that is shown; the promise is not waited for."""
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
