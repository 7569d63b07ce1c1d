"""A run that a signal stops: one line, the status of the signal, and nothing left behind."""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import last_lines
from tests.conftest import CHECKOUT
from tests.pipeline.drivers import driver, run_one_notebook
from tests.pipeline.small_notebooks import notebook

# A cell in the middle of a command, with a temporary directory.
CELL = """
import os, sys, tempfile
sys.path.insert(0, {checkout!r})
from atomic_lib.base.command import run
with tempfile.TemporaryDirectory():
    with open({top!r} + "/kernel", "w") as file:
        file.write(str(os.getpid()))
    with open({top!r} + "/worker", "w") as file:
        file.write(str(os.getppid()))
    run(["sh", "-c", "echo $$ >{top}/command; exec sleep 300"])
"""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The directory for temporary files of the run: short, as it holds sockets."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def wait_until(done: Callable[[], bool], seconds: float = 90) -> bool:
    """Whether it is done in time."""
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
    return done()


def is_alive(pid_file: Path) -> bool:
    """Whether the process whose number is in the file is there and no zombie."""
    try:
        status = Path("/proc", pid_file.read_text().strip(), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


@pytest.fixture
def running(tmp_path: Path, temporary: Path) -> Iterator[ForkServerProcess]:
    """A driver whose notebook is in the middle of its command."""
    cell = CELL.format(top=str(tmp_path), checkout=str(CHECKOUT))
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook(["x = 1\n", cell])))
    log, environment = tmp_path / "log", {"TMPDIR": str(temporary), "HOME": str(tmp_path)}
    with driver(run_one_notebook, tmp_path, log, environment) as process:
        assert wait_until(lambda: is_alive(tmp_path / "command")), log.read_text()
        yield process


def send(process: ForkServerProcess, number: signal.Signals, seconds: float = 60) -> int | None:
    """Send a signal; the exit status of the process, None if it has not ended in time."""
    assert process.pid
    os.kill(process.pid, number)
    process.join(seconds)
    return process.exitcode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_stops_the_run_with_one_line_and_leaves_nothing(
    number: signal.Signals, running: ForkServerProcess, tmp_path: Path, temporary: Path
) -> None:
    assert send(running, number) == 128 + number
    assert last_lines((tmp_path / "log").read_text()) == f"stopped by {number.name}"
    assert [name for name in ("worker", "kernel", "command") if is_alive(tmp_path / name)] == []
    assert list(temporary.iterdir()) == []


def test_of_a_killed_run_no_command_is_left_that_does_not_end_with_its_kernel(
    running: ForkServerProcess, tmp_path: Path, temporary: Path
) -> None:
    assert send(running, signal.SIGKILL) == -signal.SIGKILL
    gone = wait_until(lambda: not any(is_alive(tmp_path / name) for name in ("worker", "kernel", "command")), 20)
    if is_alive(tmp_path / "command"):
        os.kill(int((tmp_path / "command").read_text()), signal.SIGKILL)
    assert gone
    assert list(temporary.iterdir()) == []


def test_nor_of_a_kernel_that_is_killed(running: ForkServerProcess, tmp_path: Path) -> None:
    os.kill(int((tmp_path / "kernel").read_text()), signal.SIGKILL)
    running.join(60)
    alive = is_alive(tmp_path / "command")
    if alive:
        os.kill(int((tmp_path / "command").read_text()), signal.SIGKILL)
    assert not alive


def test_of_a_killed_run_no_process_is_left_and_the_next_run_removes_its_files(
    running: ForkServerProcess, tmp_path: Path, temporary: Path
) -> None:
    os.kill(int((tmp_path / "worker").read_text()), signal.SIGSTOP)  # so that it cannot remove its files
    assert send(running, signal.SIGKILL) == -signal.SIGKILL
    os.kill(int((tmp_path / "worker").read_text()), signal.SIGKILL)
    assert wait_until(lambda: not is_alive(tmp_path / "kernel"), 10)
    assert [path.name.rpartition("-")[0] for path in temporary.iterdir()] == [f"workbook-notebook-{running.pid}"]
    os.kill(int((tmp_path / "command").read_text()), signal.SIGKILL)  # it stands in for one that dies with its kernel
    text = "from atomic_lib.pipeline.notebooks import execute_all; execute_all([], workers=1)"
    command.run([sys.executable, "-c", text], env={"PYTHONPATH": str(CHECKOUT), "TMPDIR": str(temporary)})
    assert list(temporary.iterdir()) == []
