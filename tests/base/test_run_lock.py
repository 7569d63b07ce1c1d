"""The locks between commands: who holds one is named, others wait, and a crash releases it."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from atomic_lib.base import run_lock as module
from atomic_lib.base.command import running
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.run_lock import LOCK_NAME, machine_lock, run_lock

HOLD = """
import pathlib, sys, time
from atomic_lib.base.run_lock import run_lock
with run_lock(pathlib.Path(sys.argv[1]), "./workbook run factors"):
    pathlib.Path(sys.argv[1], "held").touch()
    time.sleep(60)
"""


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_command_that_holds_it_is_named(tmp_path: Path) -> None:
    with run_lock(tmp_path, "./workbook run factors"):
        with pytest.raises(WorkbookError) as caught, run_lock(tmp_path, "./workbook clean"):
            pass
        assert caught.value.message.startswith(f"./workbook run factors (process {os.getpid()}, since 20")
        assert caught.value.message.endswith(f"is in progress: it holds {tmp_path / LOCK_NAME}")
        assert "--wait" in caught.value.hint
    with run_lock(tmp_path, "./workbook clean"):
        pass


def told_while_waiting(
    monkeypatch: pytest.MonkeyPatch, first: AbstractContextManager[None], second: AbstractContextManager[None]
) -> list[str]:
    """What ``second`` says while ``first`` keeps it waiting."""
    monkeypatch.setattr(module, "_POLL_SECONDS", 0.02)
    order: list[str] = []
    told: list[str] = []
    monkeypatch.setattr(module, "say", told.append)

    def hold_second() -> None:
        with second:
            order.append("second")

    with first:
        waiting = threading.Thread(target=hold_second)
        waiting.start()
        wait_for(lambda: bool(told))
        time.sleep(0.1)
        order.append("first")
    waiting.join(20)
    assert order == ["first", "second"]
    return told


def test_one_that_waits_says_behind_which_and_goes_on_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_lock(tmp_path, "./workbook run factors")
    told = told_while_waiting(monkeypatch, first, run_lock(tmp_path, "./workbook run default", wait=True))
    assert [line.partition(" (")[0] for line in told] == ["waiting behind ./workbook run factors"], "said once"


def test_a_killed_command_releases_it_and_is_not_named_any_more(tmp_path: Path, checkout: Path) -> None:
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    with running(words, log=tmp_path / "log", env={"PYTHONPATH": str(checkout)}) as holder:
        wait_for((tmp_path / "held").exists)
        with pytest.raises(WorkbookError, match=f"process {holder.pid}"), run_lock(tmp_path, "./workbook clean"):
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with run_lock(tmp_path, "./workbook run default"):
        assert json.loads((tmp_path / LOCK_NAME).read_text())["command"] == "./workbook run default"


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"command": "x"}'])
def test_a_file_that_says_nothing_is_no_obstacle(tmp_path: Path, text: str) -> None:
    with run_lock(tmp_path, "./workbook run default"):
        (tmp_path / LOCK_NAME).write_text(text)
        with pytest.raises(WorkbookError, match=r"another ./workbook is in"), run_lock(tmp_path, "x"):
            pass


def test_those_that_hold_the_machine_beside_each_other_do_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(_: float) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr(time, "sleep", wait)
    with machine_lock(tmp_path, "a: compose the tree"), machine_lock(tmp_path, "b: boot 1"):
        pass


@pytest.mark.parametrize(
    ("first_alone", "second_alone", "behind"),
    [
        (False, True, "all other builds and boots have ended"),
        (True, False, "a boot that is timed alone has ended"),
        (True, True, "all other builds and boots have ended"),
    ],
)
def test_nothing_runs_beside_what_holds_the_machine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_alone: bool, second_alone: bool, behind: str
) -> None:
    first = machine_lock(tmp_path, "own: boot 1", alone=first_alone)
    told = told_while_waiting(monkeypatch, first, machine_lock(tmp_path, "own: boot 2", alone=second_alone))
    assert told == [f"! own: boot 2: waiting until {behind}"], "said once"
