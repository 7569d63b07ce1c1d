"""Progress lines: what a terminal, a log and a parent process get."""

import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from atomic_lib.base import command, progress
from atomic_lib.base.progress import Parts, counting, duration, is_progress, passed, reached, say, step
from tests.conftest import CHECKOUT

# In a terminal of 60 columns: what the program writes to its standard error, as script(1) would record it.
IN_A_TERMINAL = """
import os, pty, sys
def read(descriptor):
    data = os.read(descriptor, 65536)
    return data
os.environ["COLUMNS"] = "60"
sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.executable, "-c", sys.argv[1]], read)))
"""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Signs of life after fractions of a second."""
    monkeypatch.setattr(progress, "LOGGED_SECONDS", 0.05)
    for name in ("logged", "passed_on_until"):
        monkeypatch.setattr(progress._SHOWN, name, 0.0)
    yield
    assert (progress._SHOWN.steps, progress._SHOWN.parts) == ([], None)


def test_a_step_in_a_log_says_that_it_runs_how_long_it_should_take_and_where_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with step("boot", 30.4, "changed: image"):
        reached("kernel")
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "→ boot (changed: image), about 30 s"
    assert "· boot: 0 s of about 30 s, kernel" in lines[1:-1]
    assert re.fullmatch(r"✓ boot: 0\.\d s", lines[-1])
    assert all(map(is_progress, lines))


def test_a_log_gets_few_signs_of_life_and_no_escape_sequence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LOGGED_SECONDS", 60.0)
    with step("compose"):
        for name in ("kernel", "systemd", "login"):
            reached(name)
        say("\x1b[31m! a package called \x07 in red\x1b[0m \u202e")
    lines = capsys.readouterr().err.splitlines()
    assert [line[0] for line in lines] == ["→", "·", "\\", "✓"]
    assert lines[2] == r"\x1b[31m! a package called \x07 in red\x1b[0m \u202e"


def test_only_the_step_that_started_last_gives_signs_of_life(capsys: pytest.CaptureFixture[str]) -> None:
    with step("outer"), step("inner"):
        time.sleep(0.2)
    signs = {line for line in capsys.readouterr().err.splitlines() if line.startswith("·")}
    assert signs == {"· inner: 0 s"}


def test_the_signs_of_a_child_process_are_shown_in_place_of_those_of_the_step_that_waits_for_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LOGGED_SECONDS", 1.0)
    with step("rebuild"):
        for _ in range(13):
            say("· commit: 3 s")
            time.sleep(0.1)
    signs = [line for line in capsys.readouterr().err.splitlines() if line.startswith("·")]
    assert set(signs) == {"· commit: 3 s"}


def test_a_step_that_fails_gives_no_more_signs_of_life(capsys: pytest.CaptureFixture[str]) -> None:
    threads = list[threading.Thread]()

    def fail() -> None:
        threads.extend(one for one in threading.enumerate() if one.name == "progress of compose")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), step("compose"):
        fail()
    (thread,) = threads
    thread.join(20)
    assert not thread.is_alive()
    assert [line[0] for line in capsys.readouterr().err.splitlines()] == ["→", "✗"]


def test_the_parts_of_a_run_are_counted_once_and_the_time_left_is_said_only_if_all_of_it_is_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parts = Parts({"a: resolve": 10.0, "a: boot bios-1": None, "b: resolve": 100.0, "comparison": 0.0})
    passed("not counted")
    with counting(parts):
        assert parts.words() == "[0/4] 0 s"
        passed("a: resolve")
        say("■ a: resolve")
        say("■ of another run")
        parts.drop("a: ")
        assert parts.words() == "[1/3] 0 s, up to 1 min 40 s left"
        say("· b: compose the tree: 12 s")
        passed("b: resolve")
        passed("comparison")
    assert capsys.readouterr().err.splitlines() == [
        "■ a: resolve · [1/4] 0 s",
        "· [1/3] 0 s, up to 1 min 40 s left · b: compose the tree: 12 s",
        "■ b: resolve · [2/3] 0 s",
        "■ comparison · [3/3] 0 s",
    ]


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (99, "99 s"), (151, "2 min 31 s"), (3725.0, "1 h 2 min")])
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def in_terminal(text: str, **environment: str) -> str:
    """What a program shows in a terminal."""
    with TemporaryDirectory() as directory:
        program = Path(directory, "terminal.py")
        program.write_text(IN_A_TERMINAL)
        words = [sys.executable, "-P", str(program), text]
        env = {"PYTHONPATH": str(CHECKOUT), "TERM": "xterm", **environment}
        return command.run(words, env=env, timeout_seconds=60).stdout


SHOWN = """
from atomic_lib.base import progress
progress._REDRAWN_SECONDS = 0.05
import time
with progress.counting(progress.Parts({"a": 5.0, "b": 5.0})), progress.step("x" * 80):
    progress.reached("kernel")
    time.sleep(0.2)
    progress.say("error: no")
"""


def test_a_terminal_has_one_last_line_that_is_replaced_and_removed() -> None:
    shown = in_terminal(SHOWN)
    lines = shown.replace("\r\n", "\n").split("\n")
    assert lines[-1].endswith("\r\x1b[K"), "the last line is removed"
    signs = [part for part in shown.split("\r\x1b[K") if part.startswith("\x1b[2m·")]
    assert signs
    for sign in signs:
        assert len(re.sub(r"\x1b\[[0-9;]*[mK]", "", sign.partition("\r")[0])) <= 60, "one line of the terminal"
    assert "\x1b[2m·\x1b[0m [0/2] 0 s, up to 10 s left · xxx" in shown
    assert "\x1b[1;31merror:\x1b[0m no\r\n" in shown


def test_a_terminal_shows_no_colours_if_it_is_not_to() -> None:
    shown = in_terminal(SHOWN, NO_COLOR="1")
    assert "error: no" in shown
    assert re.findall(r"\x1b\[[0-9;]*m", shown) == []


def test_a_terminal_that_can_move_no_cursor_gets_lines() -> None:
    assert "\x1b" not in in_terminal(SHOWN, TERM="dumb")


def test_a_child_gives_signs_of_life_as_often_as_its_parent_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(progress.ALIVE_VARIABLE, "10")
    assert progress.alive_seconds() == 10
    monkeypatch.setenv(progress.ALIVE_VARIABLE, "often")
    assert progress.alive_seconds() == progress.LOGGED_SECONDS
