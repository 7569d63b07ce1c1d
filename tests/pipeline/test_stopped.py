"""A run that a signal stops: one line, the status of the signal, and nothing left behind."""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import clean_environment, last_lines
from tests.conftest import CHECKOUT
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
# ./workbook run, with one notebook in place of a study
DRIVER = """
import sys
from pathlib import Path
from atomic_lib import cli
from atomic_lib.pipeline.study import study_run
from atomic_lib.pipeline.notebooks import Execution, execute_all
top = Path(sys.argv[1])
study_run.run_study = lambda *_, **__: execute_all([Execution(top / "a.ipynb", top / "out.ipynb", {})], workers=1)
sys.exit(cli.main(["run"]))
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


def running_driver(top: Path, temporary: Path) -> command.Background:
    """A driver whose notebook is in the middle of its command."""
    cell = CELL.format(top=str(top), checkout=str(CHECKOUT))
    (top / "a.ipynb").write_text(json.dumps(notebook(["x = 1\n", cell])))
    environment = clean_environment({"PYTHONPATH": str(CHECKOUT), "TMPDIR": str(temporary), "HOME": str(top)})
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
    with open(top / "log", "wb") as log:
        driver = command.Background(
            [sys.executable, "-c", DRIVER, str(top)], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    signal.signal(signal.SIGINT, before)
    assert wait_until(lambda: (top / "command").exists() and is_alive(top / "command")), (top / "log").read_text()
    return driver


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_stops_the_run_with_one_line_and_leaves_nothing(
    number: signal.Signals, tmp_path: Path, temporary: Path
) -> None:
    driver = running_driver(tmp_path, temporary)
    driver.send_signal(number)
    assert driver.wait(60) == 128 + number
    assert last_lines((tmp_path / "log").read_text()) == f"stopped by {number.name}"
    assert [name for name in ("worker", "kernel", "command") if is_alive(tmp_path / name)] == []
    assert list(temporary.iterdir()) == []


def test_of_a_killed_run_no_command_is_left_that_does_not_end_with_its_kernel(tmp_path: Path, temporary: Path) -> None:
    driver = running_driver(tmp_path, temporary)
    driver.kill()
    driver.wait(10)
    gone = wait_until(lambda: not any(is_alive(tmp_path / name) for name in ("worker", "kernel", "command")), 20)
    if is_alive(tmp_path / "command"):
        os.kill(int((tmp_path / "command").read_text()), signal.SIGKILL)
    assert gone
    assert list(temporary.iterdir()) == []


def test_nor_of_a_kernel_that_is_killed(tmp_path: Path, temporary: Path) -> None:
    driver = running_driver(tmp_path, temporary)
    os.kill(int((tmp_path / "kernel").read_text()), signal.SIGKILL)
    driver.wait(60)
    alive = is_alive(tmp_path / "command")
    if alive:
        os.kill(int((tmp_path / "command").read_text()), signal.SIGKILL)
    assert not alive


def test_of_a_killed_run_no_process_is_left_and_the_next_run_removes_its_files(tmp_path: Path, temporary: Path) -> None:
    driver = running_driver(tmp_path, temporary)
    os.kill(int((tmp_path / "worker").read_text()), signal.SIGSTOP)  # so that it cannot remove its files
    driver.kill()
    driver.wait(10)
    os.kill(int((tmp_path / "worker").read_text()), signal.SIGKILL)
    assert wait_until(lambda: not is_alive(tmp_path / "kernel"), 10)
    assert [path.name.rpartition("-")[0] for path in temporary.iterdir()] == [f"workbook-notebook-{driver.pid}"]
    os.kill(int((tmp_path / "command").read_text()), signal.SIGKILL)  # it stands in for one that dies with its kernel
    text = "from atomic_lib.pipeline.notebooks import execute_all; execute_all([], workers=1)"
    command.run([sys.executable, "-c", text], env={"PYTHONPATH": str(CHECKOUT), "TMPDIR": str(temporary)})
    assert list(temporary.iterdir()) == []
