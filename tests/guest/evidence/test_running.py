"""What runs: control groups, sockets, set-uid files."""

from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.guest.evidence.running import (
    CGROUPS_COMMAND,
    Cgroups,
    Usage,
    of_login,
    read_cgroups,
    read_listeners,
    read_setuid_files,
    running_services,
)

CGROUPS = r"""./cgroup.procs:2
./cgroup.procs:13
./cpu.stat:usage_usec 9000000
./init.scope/cgroup.procs:1
./init.scope/memory.current:65073152
./init.scope/cpu.stat:usage_usec 62000000
./system.slice/memory.current:239534080
./system.slice/cpu.stat:usage_usec 95579907
./system.slice/docker.service/memory.current:119111680
./system.slice/docker.service/cpu.stat:usage_usec 15398732
./system.slice/docker.service/cgroup.procs:579
./system.slice/docker.service/cgroup.procs:580
./system.slice/systemd-udevd.service/memory.current:10149888
./system.slice/systemd-udevd.service/udev/memory.current:77
./system.slice/systemd-udevd.service/udev/cgroup.procs:490
./system.slice/system-serial\x2dgetty.slice/serial-getty@a:b=c.service/memory.current:0
./user.slice/user-0.slice/session-1.scope/memory.current:4677632
./user.slice/user-0.slice/session-1.scope/cgroup.procs:700
./user.slice/user-0.slice/user@0.service/init.scope/memory.current:2113536
./user.slice/user-0.slice/user@0.service/init.scope/cgroup.procs:646
grep: ./system.slice/gone.service/cgroup.procs: No such device
./system.slice/cut.service/memory.current:
"""


def test_usage_is_the_units_own() -> None:
    found = read_cgroups(CGROUPS)
    assert found.units["docker.service"] == Usage(15.398732, 119111680, 2)
    assert found.units["systemd-udevd.service"] == Usage(None, 10149888, 1)
    assert found.units["init.scope"] == Usage(62.0, 65073152, 1)
    assert found.units["serial-getty@a:b=c.service"] == Usage(None, 0, 0)
    assert not {"cut.service", "gone.service", "system.slice"} & set(found.units)


def test_processes_are_counted_without_the_kernels_and_the_logins() -> None:
    assert read_cgroups(CGROUPS).process_count == 4


@pytest.mark.parametrize("text", ["", "sh: 1: cd: can't cd to /sys/fs/cgroup", "./x.service/cgroup.procs:" + "9" * 99])
def test_no_control_groups_are_unknown_and_never_zero(text: str) -> None:
    found = read_cgroups(text)
    assert found == Cgroups()
    assert found.process_count is None


def test_the_question_is_answered_by_real_files(tmp_path: Path) -> None:
    group = tmp_path / "system.slice/a b.service"
    group.mkdir(parents=True)
    (group / "memory.current").write_text("4096\n")
    (group / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 7\n")
    (group / "cgroup.procs").write_text("12\n13\n")
    (group / "memory.max").write_text("8192\n")
    script = CGROUPS_COMMAND.replace("/sys/fs/cgroup", str(tmp_path))
    assert read_cgroups(command.run(["sh", "-c", script]).stdout).units == {"a b.service": Usage(1.5, 4096, 2)}


def test_listeners() -> None:
    text = (
        'udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=483,fd=18))\n'
        'tcp LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=585,fd=7),("systemd",pid=1,fd=3),("sshd",pid=9,fd=7))\n'
        'tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:* users:(("(odd) name",pid=5,fd=7))   \n'
        "tcp LISTEN 0 128 0.0.0.0:81 0.0.0.0:*\n"
        "tcp LISTEN 0 128\n"
        "Cannot open netlink socket: Protocol not supported\n"
    )
    assert [(one.protocol, one.address, one.program) for one in read_listeners(text)] == [
        ("tcp", "0.0.0.0:80", "(odd) name"),
        ("tcp", "0.0.0.0:81", ""),
        ("tcp", "[::]:22", "sshd, systemd"),
        ("udp", "127.0.0.53%lo:53", "systemd-resolve"),
    ]
    assert read_listeners("") == ()


def test_setuid_files_are_paths() -> None:
    assert read_setuid_files("/usr/bin/su\nfind: '/x': Permission denied\n/usr/bin/a b\n") == (
        "/usr/bin/a b", "/usr/bin/su",
    )  # fmt: skip


def test_services_that_run() -> None:
    units = [
        {"Id": "ssh.service", "SubState": "running"},
        {"Id": "oneshot.service", "SubState": "exited"},
        {"Id": "dbus.socket", "SubState": "running"},
        {"Id": "user@0.service", "SubState": "running"},
        {"SubState": "running"},
    ]
    assert running_services(units) == 1


@pytest.mark.parametrize(
    ("unit", "is_logins"),
    [("session-1.scope", True), ("user@0.service", True), ("user-runtime-dir@0.service", True),
     ("session-keeper.service", False), ("init.scope", False), ("user.slice", False)],
)  # fmt: skip
def test_units_of_the_login_that_asks(unit: str, is_logins: bool) -> None:
    assert of_login(unit) is is_logins
