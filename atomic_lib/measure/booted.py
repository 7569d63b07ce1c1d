"""The disk of an image after its first boot, read like the image itself."""

import time
from pathlib import Path

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.file_system import FileSystem
from atomic_lib.guest.evidence.proof_of_life import new_secret
from atomic_lib.guest.timed_boot import BootRequest, wait_for_key
from atomic_lib.guest.vm.data_source import supply
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, Disk, Guest, Machine, read_console, start_guest
from atomic_lib.guest.vm.ssh import Check, log_in, one_boot_key, wait_for_banner
from atomic_lib.tools.tools_tree import Bind, Tools

MACHINE_OWN = ("/etc", "/var", "/home", "/mnt", "/opt", "/root", "/srv", "/usr/local", "/usr/lib/tmpfiles.d")
"""Where a machine writes, what an ostree system links into /var, and the configuration that declares it."""
AFTER_FILE = "after.raw"
_SETTLE_SECONDS = 300
_SHUTDOWN_SECONDS = 180
_POLL_SECONDS = 0.5
# In the background, so that the connection ends before the guest does.
_POWER_OFF = "systemctl is-system-running --wait; (sleep 2; systemctl poweroff) </dev/null >/dev/null 2>&1 &"


def disk_after_boot(tools: Tools, raw: Path, request: BootRequest, directory: Path) -> Path:
    """The raw disk of an image after one boot, provisioned as in a cloud, and an orderly shutdown.

    It is ``directory/after.raw``; the image is not written to. Raises WorkbookError, with the
    end of the console as its log, for a guest that is not up, or not down, in time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    machine = Machine(request.firmware, request.accelerator, request.cpus, request.memory_mib)
    with (
        one_boot_key(tools, directory) as key,
        supply(request.data_source, new_secret().instance(key.public), tools, directory, BOOT_MOUNT) as supplied,
        start_guest(tools, Disk(raw, "raw"), machine, supplied, directory) as guest,
    ):
        check = _deadline(guest, request.timeout_seconds)
        wait_for_banner(guest.ssh_port, check)
        if supplied.service:
            wait_for_key(supplied.service, check)
        with log_in(tools, key, guest.ssh_port, directory / "ssh.log", check) as shell:
            shell.run(_POWER_OFF, timeout_seconds=_SETTLE_SECONDS)
        _wait_for_end(guest)
        image = f"/mnt/image/{raw.name}"
        binds = [Bind(directory.absolute(), BOOT_MOUNT, writable=True), Bind(raw.absolute(), image)]
        overlay, after = f"{BOOT_MOUNT}/disk.qcow2", f"{BOOT_MOUNT}/{AFTER_FILE}"
        tools.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", overlay, after], binds=binds)
    return directory / AFTER_FILE


def below(side: FileSystem, *tops: str) -> FileSystem:
    """A file system without what is not at or below ``tops``; /etc has to be one for names of users to be known."""
    kept = {path: entry for path, entry in side.entries.items()
            if any(path == top or path.startswith(f"{top}/") for top in tops)}  # fmt: skip
    return FileSystem(side.raw, kept, side.outside)


def _deadline(guest: Guest, seconds: float) -> Check:
    def check() -> None:
        guest.require_alive()
        if time.monotonic() - guest.started > seconds:
            raise WorkbookError(f"no ssh login within {seconds:g} s", log=last_lines(read_console(guest.console)))

    return check


def _wait_for_end(guest: Guest) -> None:
    end = time.monotonic() + _SHUTDOWN_SECONDS
    while guest.process.poll() is None:
        if time.monotonic() > end:
            raise WorkbookError(
                f"the guest was not down within {_SHUTDOWN_SECONDS} s", log=last_lines(read_console(guest.console))
            )
        time.sleep(_POLL_SECONDS)
