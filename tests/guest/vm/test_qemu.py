"""The guest's command line, and what is made of its console."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.vm import qemu
from atomic_lib.guest.vm.data_source import Provisioning
from atomic_lib.guest.vm.metadata_service import MetadataService
from atomic_lib.guest.vm.qemu import (
    LOG_MOST_BYTES,
    WRITES_LOG,
    Disk,
    Guest,
    Machine,
    gates_of,
    guest_argv,
    machine_uuid,
    network_argument,
    power_on,
    read_console,
)
from atomic_lib.tools.sandbox import Tools
from tests.contexts import NO_TOOLS

SERVED = Provisioning(service=MetadataService(0.0))


def after(argv: list[str], option: str) -> list[str]:
    return [value for name, value in pairwise(argv) if name == option]


def test_bios_under_tcg() -> None:
    argv = guest_argv(Machine("bios", "tcg", 2, 2048), SERVED, "/some/boot")
    assert after(argv, "-accel") == ["tcg,thread=multi"]
    assert after(argv, "-cpu") == ["max,-svm,-erms,-fsrm"]  # string instructions copy no single bytes
    assert (after(argv, "-smp"), after(argv, "-m")) == (["2"], ["2048"])
    assert [drive for drive in after(argv, "-drive") if "pflash" in drive] == []
    assert "cache=unsafe" in after(argv, "-drive")[0]


def test_uefi_under_kvm() -> None:
    argv = guest_argv(Machine("uefi", "kvm", 4, 512), SERVED, "/some/boot")
    assert (after(argv, "-accel"), after(argv, "-cpu")) == (["kvm"], ["host"])
    code, variables, disk = after(argv, "-drive")
    assert "unit=0" in code
    assert "readonly=on" in code
    assert "unit=1" in variables
    assert "readonly" not in variables
    assert "disk.qcow2" in disk


def test_each_write_is_logged_and_the_log_sees_flushes() -> None:
    argv = guest_argv(Machine("bios", "tcg", 1, 512), SERVED, "/some/boot", log_writes=True)
    assert after(argv, "-drive") == []
    nodes = {node.partition("node-name=")[2].partition(",")[0]: node for node in after(argv, "-blockdev")}
    assert nodes["disk"] == "driver=blklogwrites,node-name=disk,file=overlay,log=log"
    assert "filename=/mnt/boot/writes.log" in nodes["log"]
    assert all("cache.no-flush=on" in node for name, node in nodes.items() if name != "disk")
    assert "virtio-blk-pci,drive=disk,bootindex=1,request-merging=off" in after(argv, "-device")
    unlogged = guest_argv(Machine("bios", "tcg", 1, 512), SERVED, "/some/boot")
    assert "virtio-blk-pci,drive=disk,bootindex=1" in after(unlogged, "-device")


def test_the_guest_reaches_the_metadata_service_and_nothing_else() -> None:
    words = network_argument(served=True).split(",")
    assert "restrict=on" in words
    assert "hostfwd=tcp:127.0.0.1:2222-:22" in words
    assert "guestfwd=tcp:169.254.169.254:80-cmd:socat - UNIX-CONNECT:/mnt/boot/metadata.socket" in words
    assert "host=169.254.169.2" in words  # 169.254.169.254 as QEMU's own address could not be forwarded


def test_a_guest_with_updates_also_reaches_their_server() -> None:
    words = network_argument(served=True, updates=True).split(",")
    assert "guestfwd=tcp:169.254.169.253:80-cmd:socat - UNIX-CONNECT:/mnt/boot/updates.socket" in words
    assert {*words} - {*network_argument(served=True).split(",")} == {words[-1]}
    (seccomp,) = after(guest_argv(Machine("bios", "tcg", 1, 512), Provisioning(updates=True), "one"), "-sandbox")
    assert "spawn=allow" in seccomp


def test_a_port_of_the_guest_is_reached_through_a_socket_of_its_own() -> None:
    words = network_argument(served=True, ports=(8080,)).split(",")
    assert {*words} - {*network_argument(served=True).split(",")} == {"hostfwd=tcp:127.0.0.1:8080-:8080"}
    line = guest_argv(Machine("bios", "tcg", 1, 512), Provisioning(ports=(8080,)), "one")
    assert "hostfwd=tcp:127.0.0.1:8080-:8080" in after(line, "-netdev")[0]
    shell, option, gates, name = gates_of(Provisioning(ports=(8080,)))
    assert (shell, option, name) == ("sh", "-c", "sh")
    assert gates == (
        "socat UNIX-LISTEN:/mnt/boot/ssh.socket,fork,mode=600 TCP4:127.0.0.1:2222 & "
        "socat UNIX-LISTEN:/mnt/boot/port-8080.socket,fork,mode=600 TCP4:127.0.0.1:8080 & "
        'exec "$@"'
    )


def test_the_machine_says_ec2_in_uuid_and_serial() -> None:
    serial = machine_uuid("one")
    assert serial.startswith("ec2")
    assert str(uuid.UUID(serial)) == serial == machine_uuid("one") != machine_uuid("two")
    argv = guest_argv(Machine("bios", "tcg", 1, 512), SERVED, "one")
    assert after(argv, "-smbios") == [f"type=1,uuid={serial},serial={serial}"]


def test_without_a_metadata_service_nothing_of_the_machine_says_ec2() -> None:
    argv = guest_argv(Machine("bios", "tcg", 1, 512), Provisioning(("-fw_cfg", "name=x"), disc="cidata.img"), "one")
    assert [word for word in argv if "ec2" in word or "guestfwd" in word] == []
    assert after(argv, "-fw_cfg") == ["name=x"]
    disk, disc = after(argv, "-drive")
    assert "disk.qcow2" in disk
    assert disc == "if=none,id=disc,file=/mnt/boot/cidata.img,format=raw,readonly=on"
    assert "virtio-blk-pci,drive=disc" in after(argv, "-device")


@pytest.mark.parametrize(
    ("given", "rights"),
    [(SERVED, "elevateprivileges=allow,spawn=allow"), (Provisioning(), "elevateprivileges=deny,spawn=deny")],
)
def test_qemu_confines_itself_and_starts_programs_only_for_a_metadata_service(given: Provisioning, rights: str) -> None:
    argv = guest_argv(Machine("bios", "tcg", 1, 512), given, "one")
    assert after(argv, "-sandbox") == [f"on,obsolete=deny,{rights},resourcecontrol=deny"]


@dataclass(frozen=True)
class Ended:
    status: int | None

    def poll(self) -> int | None:
        return self.status


def guest(directory: Path, status: int | None, console: bytes) -> Guest:
    (directory / "console.log").write_bytes(console)
    (directory / "qemu.log").write_text("qemu: could not open\n")
    return Guest(Ended(status), 0.0, directory)


def test_a_dead_guest_is_an_error_with_its_evidence(tmp_path: Path) -> None:
    guest(tmp_path, None, b"[ 1.0] Booting\r\n").require_alive()
    with pytest.raises(WorkbookError, match="ended with status 1") as caught:
        guest(tmp_path, 1, b"").require_alive()
    assert caught.value.log == "qemu: could not open"
    with pytest.raises(WorkbookError, match="kernel panicked") as caught:
        guest(tmp_path, None, b"a\r\n[ 2.0] Kernel panic - not syncing: no init\r\n").require_alive()
    assert caught.value.log == "a\n[ 2.0] Kernel panic - not syncing: no init"
    with pytest.raises(WorkbookError, match="emergency mode"):
        guest(tmp_path, None, b"Entering emergency mode. Exit the shell to continue.\r\n").require_alive()


@pytest.mark.parametrize("logs", [True, False])
def test_a_log_of_writes_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: bool) -> None:
    lines: list[list[str]] = []

    @contextmanager
    def running(_: Tools, words: list[str], **__: object) -> Iterator[Ended]:
        lines.append(words)
        yield Ended(None)

    monkeypatch.setattr(Tools, "running", running)
    (tmp_path / "disk.qcow2").write_bytes(b"overlay")
    disk = Disk(tmp_path / "image.qcow2", "qcow2", log_writes=logs)
    with power_on(NO_TOOLS, disk, Machine("bios", "kvm", 1, 512), Provisioning(), tmp_path):  # waits for no processor
        pass
    assert (lines[0][:2] == ["prlimit", f"--fsize={LOG_MOST_BYTES}"]) == logs
    assert "sh" in lines[0][:3]


def test_a_log_at_its_limit_is_an_error(tmp_path: Path) -> None:
    one = guest(tmp_path, None, b"")
    one.require_room_to_log()
    log = tmp_path / WRITES_LOG
    log.touch()
    os.truncate(log, LOG_MOST_BYTES - 1)
    one.require_room_to_log()
    os.truncate(log, LOG_MOST_BYTES)
    with pytest.raises(WorkbookError, match="more than is recorded: the log has its limit of 4,000"):
        one.require_room_to_log()


def test_the_console_is_read_without_escape_sequences(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    assert read_console(path) == ""
    path.write_bytes(b"\x1b[2J\x1b[!p\x1b]104\x07\x1b(B\x1bcGRUB\r\n[\x1b[0;32m  OK  \x1b[0m] Started \xff.\r\n")
    assert read_console(path) == "GRUB\n[  OK  ] Started \ufffd.\n"


def test_a_guest_that_writes_without_end_to_its_console_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu, "SERIAL_MOST_BYTES", 10)
    guest(tmp_path, None, b"0123456789").require_alive()
    with pytest.raises(WorkbookError, match="wrote more than 10 bytes to its serial port") as caught:
        guest(tmp_path, None, b"more: 0123456789").require_alive()
    assert caught.value.log == "0123456789", "no more is read than that"
