"""What a command in the sandbox can do to the host, and how much it may use: tried for real, in the host's own root.

The tests try nothing that would harm the host if the sandbox let it through.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import SetupError
from atomic_lib.tools.confinement.confine import REFUSED_CALLS
from atomic_lib.tools.confinement.limits import Limits, control_group
from atomic_lib.tools.sandbox import Bind, Rights, Tools
from atomic_lib.tools.user_namespace import is_inside

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the sandbox of an ordinary user is another one")

HOST = Tools(Path("/"), "host", limits=Limits(seconds=60, processes=50, memory_mib=200, file_size_mib=2, open_files=64))
PYTHON = os.path.realpath(sys.executable)
ROOT = "/mnt/root"
RIGHTS: tuple[Rights, ...] = get_args(Rights)

WRITABLE = """\
import os, sys
for top in sys.argv[1:]:
    assert os.path.exists(f"{top}/sys/kernel/ostype")
    for directory, folders, files in os.walk(top):
        folders[:] = [name for name in folders if not name.isdigit() and not name.endswith("self")]
        for path in (f"{directory}/{name}" for name in files):
            try:
                if os.path.islink(path):  # to what belongs to this process
                    continue
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                print(path)
            except OSError:
                pass
"""
REWRITE = """\
import sys
for path in sys.argv[1:]:
    try:
        text = open(path).read()
        open(path, "w").write(text)
        print("written", path)
    except OSError as error:
        print(error.errno)
"""
CALLS = """\
import ctypes, sys
call = ctypes.CDLL(None, use_errno=True).syscall
for number in sys.argv[1:]:
    print(number, call(int(number), 0, 0, 0, 0, 0, 0), ctypes.get_errno())
"""
NAMESPACE = """\
import ctypes, threading
libc = ctypes.CDLL(None, use_errno=True)
print(libc.unshare(0x10000000), ctypes.get_errno())
print(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0), ctypes.get_errno())
libc.syscall(435, 0, 0)
print(ctypes.get_errno())
thread = threading.Thread(target=print, args=("a thread",))
thread.start()
thread.join()
"""
FORKS = """\
import os, time
while True:
    try:
        if os.fork() == 0:
            time.sleep(1000)
    except OSError:
        raise SystemExit(1)
"""
HOG = "data = []\nwhile True: data.append(bytes(1 << 20))"
MANY_FILES = "files = [open('/dev/null') for _ in range(100)]"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def run(tree: Path, *words: str, rights: Rights = "root", tools: Tools = HOST) -> Completed:
    return tools.run(words, binds=[Bind(tree, ROOT, writable=True)], rights=rights, filesystems=[ROOT])


@pytest.mark.parametrize("rights", RIGHTS)
def test_nothing_in_proc_can_be_written(tree: Path, rights: Rights) -> None:
    assert run(tree, PYTHON, "-c", WRITABLE, "/proc", f"{ROOT}/proc", rights=rights).stdout == ""


@pytest.mark.parametrize("rights", RIGHTS)
def test_a_sysctl_cannot_be_set_even_to_what_it_is(tree: Path, rights: Rights) -> None:
    paths = [f"{top}/sys/kernel/core_pattern" for top in ("/proc", f"{ROOT}/proc")]
    assert run(tree, PYTHON, "-c", REWRITE, *paths, rights=rights).stdout.split() == ["30", "30"]  # EROFS


@pytest.mark.parametrize("rights", RIGHTS)
def test_keyrings_mounts_and_what_concerns_the_host_are_refused(tree: Path, rights: Rights) -> None:
    assert {"add_key", "request_key", "keyctl", "mount", "umount2", "fsopen", "setns", "bpf", "reboot"} <= set(
        REFUSED_CALLS
    )
    numbers = [str(number) for number in REFUSED_CALLS.values()]
    assert run(tree, PYTHON, "-c", CALLS, *numbers, rights=rights).stdout.splitlines() == [
        f"{number} -1 1" for number in numbers
    ]


@pytest.mark.parametrize("rights", RIGHTS)
def test_a_new_user_namespace_is_refused_and_a_thread_is_not(tree: Path, rights: Rights) -> None:
    said = run(tree, PYTHON, "-c", NAMESPACE, rights=rights).stdout.splitlines()
    assert said == ["-1 1", "-1 1", "38", "a thread"]


def test_no_host_process_open_file_or_path_of_a_bind_is_seen(tree: Path) -> None:
    program = (
        "import os; print(*sorted(p for p in os.listdir('/proc') if p.isdigit())); print(*os.listdir('/proc/self/fd'));"
        "print(open('/proc/1/cmdline').read(), *os.environ.items())"
    )
    processes, files, shown = run(tree, PYTHON, "-c", program).stdout.split("\n", 2)
    assert processes == "1 2"
    assert files.split() == ["0", "1", "2", "3"]  # the last one is the directory that is listed
    assert str(tree) not in shown


def test_a_device_node_that_a_command_makes_cannot_be_opened(tree: Path) -> None:
    program = f"import os, stat; os.mknod('{ROOT}/null', 0o666 | stat.S_IFCHR, os.makedev(1, 3)); open('{ROOT}/null')"
    with pytest.raises(CommandError, match="exit status 1") as caught:
        run(tree, PYTHON, "-c", program)
    assert "PermissionError" in caught.value.log


@pytest.fixture
def mark() -> Iterator[str]:
    """A word for the command line of processes; none of them may be left when the test ends."""
    word = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    yield word
    deadline = time.monotonic() + 10  # the kernel kills them all when the command ends, but that takes a moment
    while left := [path for path in Path("/proc").glob("[0-9]*/cmdline") if word.encode() in read(path)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    assert list(Path("/sys/fs/cgroup").rglob(f"workbook-{os.getpid()}-[0-9]*")) == []


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((PYTHON, "-c", FORKS), "more than 50 processes (script_processes)"),
        ((PYTHON, "-c", HOG), "more than 200 MiB of memory (script_memory_mib)"),
        (("sh", "-c", f"{PYTHON} -c '{HOG}'; true"), "more than 200 MiB of memory (script_memory_mib)"),
        (("sh", "-c", f"yes > {ROOT}/file"), "more than 2 MiB (script_file_size_mib)"),
    ],
    ids=["fork bomb", "memory hog", "memory hog that a script outlives", "yes > file"],
)
def test_a_command_ends_at_its_limit_with_one_line_that_names_it(
    tree: Path, mark: str, words: tuple[str, ...], reason: str
) -> None:
    if "processes" in reason or "memory" in reason:
        with control_group(Limits()) as group:
            if not group.directories:
                pytest.skip("no control group can be made here: what holds is the limit of each process")
    with pytest.raises(CommandError) as caught:
        run(tree, *words, mark)
    assert reason in caught.value.message.splitlines()[-1]
    assert "raise the parameter" in caught.value.hint


def test_a_command_ends_at_its_time_limit(tree: Path, mark: str) -> None:
    hurried = replace(HOST, limits=replace(HOST.limits, seconds=1))
    with pytest.raises(CommandError, match=r"more than 1 s \(script_timeout_seconds\)"):
        run(tree, "sh", "-c", "sleep 1000; true", mark, tools=hurried)


def test_open_files_are_limited(tree: Path) -> None:
    with pytest.raises(CommandError) as caught:
        run(tree, PYTHON, "-c", MANY_FILES)
    assert "Too many open files" in caught.value.log


def test_a_daemon_ends_with_the_command_that_started_it(tree: Path, mark: str) -> None:
    program = f"""\
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("{ROOT}/started", "w")
        time.sleep(1000)
    os._exit(0)
while not os.path.exists("{ROOT}/started"): time.sleep(0.01)
"""
    run(tree, PYTHON, "-c", program, mark)
    assert (tree / "started").exists()


def test_a_command_ends_with_its_caller_whenever_that_is_killed(
    mark: str, run_python: Callable[..., Completed]
) -> None:
    program = """\
import os, signal, sys, time
from pathlib import Path
from atomic_lib.tools.sandbox import Tools
for milliseconds in range(0, 150, 3):  # from before the sandbox is made until after its command has started
    caller = os.fork()
    if caller == 0:
        Tools(Path("/"), "host").run(["sh", "-c", "sleep 1000; true", sys.argv[1]])
    time.sleep(milliseconds / 1000)
    os.kill(caller, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(caller, 0)[1]))
"""
    assert run_python(program, mark).stdout.split() == ["-9"] * 50


def children(pid: int) -> list[int]:
    return [int(word) for word in read(Path(f"/proc/{pid}/task/{pid}/children")).split()]


@pytest.mark.parametrize("generation", [1, 2], ids=["the first process of its namespace", "bubblewrap"])
def test_a_command_ends_with_each_process_that_starts_it(mark: str, tmp_path: Path, generation: int) -> None:
    with HOST.running(["sh", "-c", "sleep 1000; true", mark], log=tmp_path / "log") as process:
        deadline = time.monotonic() + 60
        family = [process.pid]
        while len(family) < 4:  # it starts the first process, that bubblewrap, and that the first of the sandbox
            assert time.monotonic() < deadline
            family += children(family[-1])
            time.sleep(0.01)
        os.kill(family[generation], signal.SIGKILL)
        assert process.wait(60) == 128 + signal.SIGKILL


def test_the_processor_time_of_a_command_is_that_of_its_caller() -> None:
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    HOST.run([PYTHON, "-c", "import time\nwhile time.process_time() < 0.5: pass"])
    assert used() - before > 0.49


def test_what_a_command_has_no_limit_for_still_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atomic_lib.tools.sandbox._LONGEST_SECONDS", 0.5)
    with pytest.raises(CommandError, match=r"stopped after 0\.5 s"):
        HOST.run(["sleep", "1000"])


@pytest.mark.skipif(not is_inside(), reason="mounts in the namespace: ./workbook test")
def test_a_full_file_system_that_a_command_writes_to_is_named(tmp_path: Path) -> None:
    command.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path])
    try:
        with pytest.raises(SetupError, match=f"^sh: the file system at {tmp_path} is full: .* are free, in memory"):
            HOST.run(
                ["sh", "-c", "head -c 2M /dev/zero >/mnt/out/zeros"], binds=[Bind(tmp_path, "/mnt/out", writable=True)]
            )
    finally:
        command.run(["umount", tmp_path])


def test_a_host_without_bubblewrap_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atomic_lib.base.command._PATH", "/nonexistent")
    with pytest.raises(CommandError, match="exit status 1") as caught:
        HOST.run(["true"])
    assert caught.value.log == "bwrap: No such file or directory; ./workbook doctor shows which tools are missing"
