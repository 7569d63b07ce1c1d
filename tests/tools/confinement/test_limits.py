"""Where control groups are made, in both versions of cgroups, and what their counters mean."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from atomic_lib.tools.confinement import limits
from atomic_lib.tools.confinement.limits import ControlGroup, Limits, control_group

V1 = "8:pids:/\n5:cpu,cpuacct:/other\n4:memory:/service/a\n0::/unified\n"


def parents(tmp_path: Path, text: str, controller: str) -> list[str]:
    (tmp_path / "own").write_text(text)
    found = limits._parents(controller, tmp_path / "own", tmp_path)
    return [str(path.relative_to(tmp_path)) for path in found]


def test_in_version_1_a_group_is_below_the_own_one(tmp_path: Path) -> None:
    assert parents(tmp_path, V1, "pids") == ["pids"]
    assert parents(tmp_path, V1, "memory") == ["memory/service/a"]


def test_in_version_2_it_may_be_beside_the_own_one_but_not_above_the_top(tmp_path: Path) -> None:
    assert parents(tmp_path, "0::/user.slice/a.scope\n", "memory") == ["user.slice/a.scope", "user.slice"]
    assert parents(tmp_path, "0::/\n", "pids") == ["."]


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(limits, "_parents", lambda controller: [tmp_path])
    monkeypatch.setattr(limits, "_GONE_SECONDS", 0.0)
    return tmp_path


def test_limits_are_written_where_there_are_files_for_them(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("pids.max", "memory.max", "memory.swap.max", "memory.oom.group", "cgroup.procs")

    def mkdir(path: Path, **_: object) -> None:
        os.makedirs(path, exist_ok=True)
        for name in names:
            (path / name).touch()

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with control_group(Limits(processes=7, memory_mib=3)) as group:
        (directory,) = group.directories
        assert [(directory / name).read_text() for name in names] == ["7", str(3 << 20), "0", "1", ""]


def test_a_directory_without_files_for_limits_is_no_group(top: Path) -> None:
    with control_group(Limits()) as group:
        assert group.directories == ()
    assert list(top.iterdir()) == []
    assert f"RLIMIT_NPROC={Limits().processes}" in group.as_words()


def test_a_group_whose_limit_cannot_be_written_does_not_stay(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mkdir(path: Path, **_: object) -> None:
        os.makedirs(path / "memory.max", exist_ok=True)  # a directory cannot be written
        (path / "pids.max").touch()

    ended: list[Path] = []
    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(limits, "_end", ended.append)
    with pytest.raises(IsADirectoryError), control_group(Limits()):
        pass
    assert [path.parent for path in ended] == [top]


def test_groups_of_workbooks_that_were_killed_are_removed_and_others_stay(top: Path) -> None:
    for name in ("workbook-4194305-0", f"workbook-{os.getppid()}-0", "other"):  # beyond Linux's highest process id
        (top / name).mkdir()
    limits._remove_leftovers(top)
    assert sorted(path.name for path in top.iterdir()) == sorted(["other", f"workbook-{os.getppid()}-0"])


@pytest.mark.parametrize(
    ("file", "text", "status", "reason"),
    [
        ("memory.events", "low 0\noom_kill 1\n", 0, "script_memory_mib"),
        ("memory.oom_control", "under_oom 0\noom_kill 2\n", 137, "script_memory_mib"),
        ("memory.events", "oom_kill 0\n", None, "script_timeout_seconds"),
        ("pids.events", "max 3\n", 1, "script_processes"),
        ("pids.events", "max 3\n", 0, "script_processes"),
        ("pids.events", "max 0\n", 1, ""),
        ("other", "", 153, "script_file_size_mib"),
    ],
)
def test_the_limit_that_was_reached(tmp_path: Path, file: str, text: str, status: int | None, reason: str) -> None:
    (tmp_path / file).write_text(text)
    said = ControlGroup(Limits(), (tmp_path,)).reached(status)
    assert (reason in said) if reason else said == ""


def test_who_waits_to_remove_groups_never_goes_on_as_its_caller(tmp_path: Path) -> None:
    went_on = tmp_path / "went-on"
    caller = os.fork()
    if caller == 0:
        try:
            with suppress(OSError):  # as the caller does; there is no cgroup.procs, so the new process fails at once
                limits.remove_after(os.getpid(), [tmp_path / "none/group"])
            with open(went_on, "a") as file:
                file.write(f"{os.getpid()}\n")
        finally:
            os._exit(0)
    os.waitpid(caller, 0)
    time.sleep(0.5)
    assert went_on.read_text() == f"{caller}\n"
