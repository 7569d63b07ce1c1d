"""A guest that is switched on and loses its power: what QEMU leaves on the host, and what reaches it."""

import os
import re
import socket
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.guest.vm.data_source import Provisioning
from atomic_lib.guest.vm.qemu import Disk, Machine, start_guest
from atomic_lib.tools.tools_tree import open_tools

pytestmark = pytest.mark.integration

MACHINE = Machine("bios", "tcg", 1, 512)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    (tmp_path / "disk.raw").write_bytes(bytes(1 << 20))
    return Disk(tmp_path / "disk.raw", "raw")


def test_two_guests_have_ports_of_the_loopback_and_nothing_is_left(disk: Disk, tmp_path: Path) -> None:
    tools = open_tools(cache_directory())
    directories = [tmp_path / "a", tmp_path / "b"]
    for directory in directories:
        directory.mkdir()
    with (
        start_guest(tools, disk, MACHINE, Provisioning(), directories[0]) as one,
        start_guest(tools, disk, MACHINE, Provisioning(), directories[1]) as two,
    ):
        assert one.ssh_port != two.ssh_port
        for guest in (one, two):
            socket.create_connection(("127.0.0.1", guest.ssh_port), timeout=5).close()
            assert listening(guest.ssh_port) == ["0100007F"]
            assert seccomp_modes(guest.process.pid) == {"2"}  # type: ignore[attr-defined]
    assert [listening(guest.ssh_port) for guest in (one, two)] == [[], []]
    left = {path.name for directory in directories for path in directory.iterdir()}
    assert left == {"console.log", "qemu.log"}


def test_a_qemu_that_does_not_start_is_an_error_at_once(disk: Disk, tmp_path: Path) -> None:
    provided = Provisioning(arguments=("-device", "no-such-device"))
    tools = open_tools(cache_directory())
    (tmp_path / "a").mkdir()
    with (
        pytest.raises(WorkbookError, match="QEMU ended with status 1") as caught,
        start_guest(tools, disk, MACHINE, provided, tmp_path / "a"),
    ):
        pass
    assert "no-such-device" in caught.value.log


def listening(port: int) -> list[str]:
    """The local addresses, in hex, of sockets that listen on a port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port]


def seccomp_modes(leader: int) -> set[str]:
    """The seccomp mode of each QEMU in the process group of a leader; 2: it has a filter."""
    modes = set()
    for path in Path("/proc").glob("[0-9]*/status"):
        text = path.read_text()
        if "qemu-system" in text.splitlines()[0] and descends(int(path.parent.name), leader):
            modes |= set(re.findall(r"^Seccomp:\t(\d)", text, re.MULTILINE))
    return modes


def descends(process: int, leader: int) -> bool:
    """Whether a process is a descendant of ``leader``."""
    while process > 1 and process != leader:
        stat = Path(f"/proc/{process}/stat").read_text()
        process = int(stat.rpartition(")")[2].split()[1])
    return process == leader and os.getpid() != leader
