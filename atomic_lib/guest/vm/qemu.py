"""A guest: QEMU's command line and lifetime."""

import fcntl
import os
import re
import shutil
import struct
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, Protocol

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Accelerator, Firmware
from atomic_lib.guest.vm.data_source import Provisioning
from atomic_lib.guest.vm.metadata_service import GUEST_ADDRESS, GUEST_MAC, GUEST_NETWORK
from atomic_lib.guest.vm.slots import guest_slot
from atomic_lib.guest.vm.sockets import METADATA_SOCKET, SSH_SOCKET, UPDATES_SOCKET, port_socket
from atomic_lib.tools.accelerator import KVM_DEVICE
from atomic_lib.tools.sandbox import Bind, Tools

ImageFormat = Literal["raw", "qcow2"]

TCG_CPU = "max,-svm,-erms,-fsrm"
"""All that TCG emulates but nested virtualization, and without the flags that tell a kernel and a C library to copy and
clear memory byte by byte in one instruction. Processors do so fast; TCG executes each byte by itself."""
BOOT_MOUNT = "/mnt/boot"
"""Where QEMU finds the directory of the boot: overlay, firmware variables, console."""

_CONSOLE = "console.log"
_OVERLAY = "disk.qcow2"
WRITES_LOG = "writes.log"
"""In the directory of the boot: each write to the disk, if it is logged."""
LOG_MOST_BYTES = 4_000_000_000
"""How long that log can get, 25 times what an upgrade of atomic-min writes: a guest could fill the host's disk."""
SERIAL_MOST_BYTES = 16 << 20
"""How much a guest may write to a serial port, as it could fill the host's disk; a boot writes 20 to 35 kB."""
_VARIABLES = "variables.fd"
UPDATES_URL = "http://169.254.169.253"
"""Where a guest finds the server of its updates, if it has one."""
_UNMERGED = ",request-merging=off"
"""For a logged disk: QEMU 10.0 merges a guest's writes into one of up to 1,024 segments (IOV_MAX), and ``blklogwrites``
adds two. Such a write fails with EINVAL, which the guest sees as an I/O error."""
_SSH_PORT = 2222
_GONE_SECONDS = 20
_POLL_SECONDS = 0.05
_OVMF = "/usr/share/OVMF"
_DEAD_ENDS = {
    "Kernel panic - not syncing": "the guest's kernel panicked",
    "Entering emergency mode.": "the guest's initramfs did not mount the root file system: it is in emergency mode",
    "You are in emergency mode.": "the guest's system did not start: it is in emergency mode",
}
"""What a console shows when a login has become impossible, and what it means."""
# ECMA-48: control sequences, operating system commands, other escapes; then stray control characters.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f]"
)


@dataclass(frozen=True)
class Disk:
    """An image that a guest boots from; the guest never writes to it.

    ``log_writes``: log all that the guest writes, discards and flushes, from its start, in the file ``WRITES_LOG``.
    """

    path: Path
    format: ImageFormat
    log_writes: bool = False


@dataclass(frozen=True)
class Machine:
    """The hardware that a guest sees."""

    firmware: Firmware
    accelerator: Accelerator
    cpus: int
    memory_mib: int


class Process(Protocol):
    """As much of a running process as a waiting caller needs."""

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""


@dataclass(frozen=True)
class Guest:
    """A running guest. ``started`` is time.monotonic just before QEMU started."""

    process: Process
    started: float
    directory: Path

    @property
    def console(self) -> Path:
        """What the guest wrote to its serial port."""
        return self.directory / _CONSOLE

    def require_running(self) -> str:
        """The console so far. Raises WorkbookError, with the evidence as its log, when QEMU ended."""
        status = self.process.poll()
        if status is not None:
            log = last_lines((self.directory / "qemu.log").read_text(errors="replace"))
            raise WorkbookError(f"QEMU ended with status {status}", hint=f"read {self.console}", log=log)
        require_short(self.console)
        return read_console(self.console)

    def require_room_to_log(self) -> None:
        """Raises WorkbookError when the log of writes has reached its limit, so that nothing more can be written."""
        log = self.directory / WRITES_LOG
        if log.exists() and log.stat().st_size >= LOG_MOST_BYTES:
            raise WorkbookError(
                f"the guest wrote more than is recorded: the log has its limit of {LOG_MOST_BYTES:,} bytes",
                hint=f"read {self.console} for what writes so much; a recipe without it can be recorded",
            )

    def require_alive(self) -> str:
        """As ``require_running``. Also raises WorkbookError when the guest came to a dead end."""
        text = self.require_running()
        for sign, meaning in _DEAD_ENDS.items():
            if sign in text:
                raise WorkbookError(meaning, hint=f"read {self.console}", log=last_lines(text))
        return text


@contextmanager
def start_guest(tools: Tools, disk: Disk, machine: Machine, provided: Provisioning, directory: Path) -> Iterator[Guest]:
    """Boot ``disk`` on ``machine``; QEMU and the throw-away overlay are gone after the block.

    ``directory`` gets ``console.log``, ``qemu.log`` and the sockets. QEMU has no network of the host; through it
    the guest reaches the metadata service and the server of updates that ``provided`` has, if any, and nothing else.
    """
    try:
        make_overlay(tools, disk, machine, directory)
        with power_on(tools, disk, machine, provided, directory) as guest:
            yield guest
    finally:
        remove_overlay(directory)


def make_overlay(tools: Tools, disk: Disk, machine: Machine, directory: Path) -> None:
    """Make what a guest writes to, in ``directory``: an overlay of ``disk``, and the firmware's variables."""
    words = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", _seen_image(disk), "-F", disk.format]
    tools.run([*words, f"{BOOT_MOUNT}/{_OVERLAY}"], binds=_binds(disk, directory))
    if disk.log_writes:  # QEMU writes to a log that is there
        (directory / WRITES_LOG).write_bytes(b"")
    if machine.firmware == "uefi":
        shutil.copyfile(tools.root / _OVMF.lstrip("/") / "OVMF_VARS_4M.fd", directory / _VARIABLES)


def remove_overlay(directory: Path) -> None:
    """Remove what ``make_overlay`` made."""
    for name in (_OVERLAY, _VARIABLES):
        (directory / name).unlink(missing_ok=True)


@contextmanager
def power_on(tools: Tools, disk: Disk, machine: Machine, provided: Provisioning, directory: Path) -> Iterator[Guest]:
    """Boot the overlay in ``directory`` as the last guest left it; leaving the block is a power cut.

    QEMU is killed (SIGKILL: bubblewrap ends with the group that it leads, and takes its children along),
    so the disk has what the guest had it flush.
    """
    sockets = (SSH_SOCKET, *map(port_socket, provided.ports))
    for name in (_CONSOLE, *sockets):
        (directory / name).unlink(missing_ok=True)
    line = [*gates_of(provided), *guest_argv(machine, provided, str(directory.absolute()), log_writes=disk.log_writes)]
    if disk.log_writes:  # at this limit of setrlimit(2), QEMU reports an I/O error to the guest
        line = ["prlimit", f"--fsize={LOG_MOST_BYTES}", *line]
    devices = [str(KVM_DEVICE)] if machine.accelerator == "kvm" else []
    log, binds = directory / "qemu.log", _binds(disk, directory)
    with guest_slot(machine.accelerator):
        started = time.monotonic()
        try:
            with tools.running(line, log=log, binds=binds, devices=devices) as process:
                yield Guest(process, started, directory)
        finally:
            _wait_until_released(directory / _OVERLAY)
            for name in sockets:
                (directory / name).unlink(missing_ok=True)


def gates_of(provided: Provisioning) -> list[str]:
    """What starts QEMU, with a program beside it for each port of the guest that a socket leads to.

    QEMU's user networking forwards from a port only: one of its own network namespace.
    """
    gates = {SSH_SOCKET: _SSH_PORT, **{port_socket(port): port for port in provided.ports}}
    lines = (
        f"socat UNIX-LISTEN:{BOOT_MOUNT}/{name},fork,mode=600 TCP4:127.0.0.1:{port} & " for name, port in gates.items()
    )
    return ["sh", "-c", f'{"".join(lines)}exec "$@"', "sh"]


def _wait_until_released(overlay: Path) -> None:
    """Return once a QEMU that was killed is gone, with the lock on its disk: freeing the memory takes a moment."""
    deadline = time.monotonic() + _GONE_SECONDS
    while _is_locked(overlay) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _is_locked(path: Path) -> bool:
    """Whether another process has a lock on a byte of the file: fcntl_locking(2), struct flock of 64 bits."""
    with open(path, "r+b") as file:
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        found = fcntl.fcntl(file, fcntl.F_OFD_GETLK, asked)
    return bool(struct.unpack("hhqqi4x", found)[0] != fcntl.F_UNLCK)


def _seen_image(disk: Disk) -> str:
    return f"/mnt/image/{disk.path.name}"


def _binds(disk: Disk, directory: Path) -> list[Bind]:
    return [Bind(directory.absolute(), BOOT_MOUNT, writable=True), Bind(disk.path.absolute(), _seen_image(disk))]


def guest_argv(machine: Machine, provided: Provisioning, identity: str, *, log_writes: bool = False) -> list[str]:
    """The QEMU command line; ``identity`` seeds the machine's UUID, ``log_writes`` is as in ``Disk``."""
    served = provided.service is not None
    serial = machine_uuid(identity, ec2=served)
    accelerator = ["kvm"] if machine.accelerator == "kvm" else ["tcg,thread=multi"]
    return [
        "qemu-system-x86_64", "-no-user-config", "-nodefaults", "-display", "none",
        "-sandbox", seccomp_argument(spawn=served or provided.updates),
        "-machine", "q35", "-accel", *accelerator,
        "-cpu", "host" if machine.accelerator == "kvm" else TCG_CPU,
        "-smp", str(machine.cpus), "-m", str(machine.memory_mib),
        *_firmware_arguments(machine.firmware),
        # cloud-init takes a machine for EC2 only when both begin with "ec2", and then waits for its service.
        "-smbios", f"type=1,uuid={serial},serial={serial}",
        "-serial", f"file:{BOOT_MOUNT}/{_CONSOLE}",
        *_disk_arguments(log_writes=log_writes),
        "-device", f"virtio-blk-pci,drive=disk,bootindex=1{_UNMERGED if log_writes else ''}",
        *_disc_arguments(provided.disc),
        "-netdev", network_argument(served=served, updates=provided.updates, ports=provided.ports),
        "-device", f"virtio-net-pci,netdev=net,mac={GUEST_MAC},romfile=",
        "-device", "virtio-rng-pci",
        *provided.arguments,
    ]  # fmt: skip


def seccomp_argument(*, spawn: bool) -> str:
    """QEMU's own filter of system calls; ``spawn``: it may start programs, each in a session of its own.

    Where new privileges are refused, so is setsid(2), for QEMU's children too; bubblewrap refuses them in any case.
    """
    right = "allow" if spawn else "deny"
    return f"on,obsolete=deny,elevateprivileges={right},spawn={right},resourcecontrol=deny"


def network_argument(*, served: bool, updates: bool = False, ports: tuple[int, ...] = ()) -> str:
    """User networking that reaches nothing but the metadata service and the server of updates, if any, each through
    one socat per connection. ``ports``: those of the guest that are reached from here, beside ssh's.
    """
    words = [
        "user,id=net,ipv6=off,restrict=on",
        f"net={GUEST_NETWORK},host=169.254.169.2,dns=169.254.169.3,dhcpstart={GUEST_ADDRESS}",
        f"hostfwd=tcp:127.0.0.1:{_SSH_PORT}-:22",
        *(f"hostfwd=tcp:127.0.0.1:{port}-:{port}" for port in ports),
    ]
    if served:
        words.append(f"guestfwd=tcp:169.254.169.254:80-cmd:socat - UNIX-CONNECT:{BOOT_MOUNT}/{METADATA_SOCKET}")
    if updates:
        address = UPDATES_URL.removeprefix("http://")
        words.append(f"guestfwd=tcp:{address}:80-cmd:socat - UNIX-CONNECT:{BOOT_MOUNT}/{UPDATES_SOCKET}")
    return ",".join(words)


def machine_uuid(identity: str, *, ec2: bool = True) -> str:
    """A UUID that follows from ``identity``, and says that the machine is one of EC2's or that it is not."""
    return str(uuid.UUID(("ec2" if ec2 else "0c0") + sha256(identity.encode()).hexdigest()[:29]))


def require_short(serial: Path) -> None:
    """Raise WorkbookError if a guest wrote more than ``SERIAL_MOST_BYTES`` to the serial port of this file."""
    if serial.exists() and serial.stat().st_size > SERIAL_MOST_BYTES:
        raise WorkbookError(
            f"the guest wrote more than {SERIAL_MOST_BYTES:,} bytes to its serial port",
            hint=f"read {serial} for what writes so much; a recipe without it can be booted",
            log=last_lines(read_console(serial)),
        )


def read_console(path: Path) -> str:
    """The console as plain text, without the terminal's escape sequences; of a long one, its end."""
    if not path.exists():
        return ""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - SERIAL_MOST_BYTES))
        return _ESCAPES.sub("", file.read(SERIAL_MOST_BYTES).decode(errors="replace"))


def _disk_arguments(*, log_writes: bool) -> list[str]:
    """The overlay as the drive ``disk``. It is thrown away, so nothing need ever reach the host's disk."""
    if not log_writes:
        return ["-drive", f"if=none,id=disk,file={BOOT_MOUNT}/{_OVERLAY},format=qcow2,cache=unsafe"]
    nodes = (
        f"driver=file,node-name=overlay-file,filename={BOOT_MOUNT}/{_OVERLAY},cache.no-flush=on",
        "driver=qcow2,node-name=overlay,file=overlay-file,cache.no-flush=on",
        f"driver=file,node-name=log,filename={BOOT_MOUNT}/{WRITES_LOG},cache.no-flush=on",
        # with cache.no-flush this one would not see the guest's flushes
        "driver=blklogwrites,node-name=disk,file=overlay,log=log",
    )
    return [word for node in nodes for word in ("-blockdev", node)]


def _disc_arguments(disc: str | None) -> list[str]:
    if disc is None:
        return []
    drive = f"if=none,id=disc,file={BOOT_MOUNT}/{disc},format=raw,readonly=on"
    return ["-drive", drive, "-device", "virtio-blk-pci,drive=disc"]


def _firmware_arguments(firmware: Firmware) -> list[str]:
    if firmware == "bios":
        return []
    return [
        "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={_OVMF}/OVMF_CODE_4M.fd",
        "-drive", f"if=pflash,unit=1,format=raw,file={BOOT_MOUNT}/{_VARIABLES}",
    ]  # fmt: skip
