"""Commands really started: what a failure shows, what is stopped, what leaks."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.base import command, errors
from atomic_lib.base.command import CommandError, clean_environment, run, running
from atomic_lib.base.errors import SetupError, WorkbookError

# Ignores SIGTERM, and so does its child; both write their process number.
STUBBORN = """
trap '' TERM
sleep 60 & echo $! >"$1/grandchild"; echo $$ >"$1/child"
while :; do wait; sleep 1; done
"""


def exists(number_file: Path) -> bool:
    """Whether the process whose number is in the file is there and no zombie."""
    try:
        status = Path("/proc", number_file.read_text().strip(), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def ends(number_file: Path) -> bool:
    """Whether that process is gone at once; the kernel takes a moment for one that is not a child of ours."""
    deadline = time.monotonic() + 2
    while exists(number_file) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not exists(number_file)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def test_streams_are_kept_apart() -> None:
    done = run(["sh", "-c", "echo out; echo err >&2"])
    assert (done.stdout, done.stderr) == ("out\n", "err\n")


def test_failure_shows_command_status_last_lines_and_hint() -> None:
    script = "for i in $(seq 30); do echo line $i >&2; done; exit 7"
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", script], hint="look there")
    error = caught.value
    assert error.status == 7
    assert error.message == f"sh -c '{script}': exit status 7"
    assert error.log.splitlines() == [f"line {number}" for number in range(11, 31)]
    assert str(error).endswith("Next step: look there")


def test_failure_without_stderr_shows_stdout() -> None:
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", "echo only here; exit 1"])
    assert caught.value.log == "only here"


def test_a_signal_is_a_negative_status() -> None:
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", "kill -KILL $$"])
    assert caught.value.status == -9


def test_missing_command_names_it_and_the_doctor() -> None:
    with pytest.raises(CommandError, match="no-such-command: command not found") as caught:
        run(["no-such-command", "--option"])
    assert "doctor" in caught.value.hint
    assert caught.value.status is None


def test_missing_directory_is_not_called_a_missing_command(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot be started: .*/gone"):
        run(["true"], cwd=tmp_path / "gone")


def test_stdin_is_closed_or_what_was_given() -> None:
    assert run(["cat"]).stdout == ""
    assert run(["cat"], input="a\u00e4").stdout == "a\u00e4"
    assert run(["cat"], input=b"b").stdout == "b"


def test_input_that_is_not_read_is_no_error() -> None:
    assert run(["true"], input=b"x" * 1_000_000).stdout == ""


def test_environment_is_the_same_for_every_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAK", "secret")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("https_proxy", "proxy:1")
    lines = run(["env"], env={"EXTRA": "1"}).stdout.splitlines()
    assert sorted(line for line in lines if not line.startswith("_=")) == sorted(
        f"{name}={value}" for name, value in clean_environment({"EXTRA": "1"}).items()
    )
    assert "LANG=C.UTF-8" in lines
    assert clean_environment(network=True)["https_proxy"] == "proxy:1"
    assert "https_proxy" not in clean_environment()


def test_the_callers_umask_does_not_reach_a_command(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert run(["sh", "-c", "umask"]).stdout == "0022\n"
        with running(["touch", tmp_path / "made"], log=tmp_path / "log") as process:
            process.wait()
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644


def test_log_gets_both_streams_behind_what_it_has(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", "echo out; echo err >&2; exit 1"], log=log)
    assert log.read_text() == "before\nout\nerr\n"
    assert caught.value.log.endswith("err")


def test_time_limit_ends_the_whole_group(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"stopped after 0\.5 s") as caught:
        run(["sh", "-c", STUBBORN, "sh", str(tmp_path)], timeout_seconds=0.5)
    assert caught.value.status is None
    assert ends(tmp_path / "child")
    assert ends(tmp_path / "grandchild")


def test_a_command_that_ended_leaves_no_child_behind(tmp_path: Path) -> None:
    run(["sh", "-c", 'sleep 60 & echo $! >"$1/grandchild"', "sh", str(tmp_path)])
    assert ends(tmp_path / "grandchild")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as at a terminal: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interruption_ends_the_group(tmp_path: Path) -> None:
    def interrupt() -> None:
        wait_for(tmp_path / "child")
        os.kill(os.getpid(), 2)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run(["sh", "-c", STUBBORN, "sh", str(tmp_path)])
    thread.join()
    assert ends(tmp_path / "child")
    assert ends(tmp_path / "grandchild")


def test_running_stops_child_and_grandchild(tmp_path: Path) -> None:
    line = ["sh", "-c", STUBBORN, "sh", str(tmp_path)]
    with running(line, log=tmp_path / "log", stop_seconds=0.2) as process:
        wait_for(tmp_path / "child")
        assert process.poll() is None
        assert exists(tmp_path / "grandchild")
    assert ends(tmp_path / "child")
    assert ends(tmp_path / "grandchild")


def test_running_stops_the_grandchild_of_a_polite_leader(tmp_path: Path) -> None:
    script = "(trap '' TERM; sleep 60) & echo $! >\"$1/grandchild\"; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    with running(["sh", "-c", script, "sh", str(tmp_path)], log=tmp_path / "log"):
        wait_for(tmp_path / "grandchild")
    assert ends(tmp_path / "grandchild")


def test_running_stops_where_the_block_fails_and_keeps_the_output(tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes = []

    def fail_inside() -> None:
        with running(["sh", "-c", "echo here; sleep 60"], log=log) as process:
            processes.append(process)
            wait_for(log)
            raise WorkbookError("inside")

    with pytest.raises(WorkbookError, match="inside"):
        fail_inside()
    assert log.read_text() == "here\n"
    assert processes[0].returncode is not None


def test_no_descriptor_is_passed_on_or_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with open(tmp_path / "mine", "w") as mine:
        os.set_inheritable(mine.fileno(), True)
        inside = run([sys.executable, "-c", "import os; print(len(os.listdir('/proc/self/fd')))"]).stdout
    assert int(inside) == 4  # three streams and the listing itself
    assert len(os.listdir("/proc/self/fd")) == before


def test_last_lines() -> None:
    assert command.last_lines("a\nb\nc\n\n", 2) == "b\nc"


# On a file system of 1 MiB in a mount namespace of its own: a command that does not fit, and a result that does not.
FULL_DISK = """
import os, sys
from pathlib import Path
from atomic_lib.base import command, errors
from atomic_lib.base.errors import SetupError
from atomic_lib.base.store import Store
place = Path(sys.argv[1])
os.environ["WORKBOOK_CACHE"] = str(place / "cache")
(place / "cache").mkdir()
(place / "cache/kept").write_bytes(bytes(300_000))
def write(directory):
    (directory / "file").write_bytes(bytes(2**21))
try:
    Store(place / "store").get_or_make("stage", {}, write, what="the stage")
except SetupError as error:
    print(error)
try:
    command.run(["sh", "-c", "head -c 2M /dev/zero >zeros", *["package"] * 1000], cwd=place)
except SetupError as error:
    print(error)
os.environ["WORKBOOK_CACHE"] = "/none"
try:
    command.run(["sh", "-c", 'head -c 2M /dev/zero >"$0/zeros"', place], writes_to=[place])
except SetupError as error:
    print(error)
"""


def test_a_full_disk_is_named_with_what_is_free_and_what_clean_frees(tmp_path: Path) -> None:
    program = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    script = 'mount -t tmpfs -o size=1m,mode=755 none "$1" && shift && exec "$@"'
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(tmp_path), *program]
    said = run(words, env={"PYTHONPATH": str(Path(command.__file__).parents[2])}).stdout.splitlines()
    next_step = (
        "Next step: free some space there and run again; finished stages are kept; "
        "./workbook clean cache would free 0.3 MB"
    )
    full = f"the file system at {tmp_path} is full: 0.0 MB of 1.0 MB are free, in memory"
    assert said == [
        f"the stage: {full}", next_step,
        f"sh: {full}", next_step,
        f"sh: {full}",
        "Next step: free some memory, or use a machine with more, and run again; finished stages are kept",
    ]  # fmt: skip


def test_only_a_command_that_a_full_disk_can_have_stopped_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "echo 'write error: No space left on device' >&2; exit 1"
    with pytest.raises(CommandError, match="exit status 1"):  # of a guest: the disks here have space
        run(["sh", "-c", script])
    monkeypatch.setattr(errors, "_free_bytes", lambda _: 900_000_000)
    with pytest.raises(SetupError, match=r"^sh: the file system at /.* is full"):
        run(["sh", "-c", script])
    with pytest.raises(CommandError, match="exit status 1"):
        run(["sh", "-c", "exit 1"])
    monkeypatch.setattr(errors, "_free_bytes", lambda _: 5_000_000_000)
    with pytest.raises(SetupError, match=r"^sh: the file system at /.* is full"):
        run(["sh", "-c", "echo 'At least 6000MB more space needed on the / filesystem.' >&2; exit 1"])


def test_a_long_command_line_is_cut() -> None:
    with pytest.raises(CommandError) as caught:
        run(["false", *["package"] * 1000])
    assert len(caught.value.message) < 550
    assert caught.value.message.endswith("…: exit status 1")
