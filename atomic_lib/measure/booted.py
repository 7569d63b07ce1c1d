"""The disk of an image after its first boot, read like the image itself."""

import time
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import reached
from atomic_lib.base.stage import Stage
from atomic_lib.formats.disk.file_system import FileSystem
from atomic_lib.guest.boot_stages import accelerator_of
from atomic_lib.guest.evidence.console_milestones import console_milestone
from atomic_lib.guest.new_instance import NewInstance, start_instance
from atomic_lib.guest.timed_boot import BootRequest
from atomic_lib.guest.vm.host_load import Patience
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, Disk, Guest, Machine, read_console
from atomic_lib.guest.vm.ssh import Deadline, log_in
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import Variant
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

MACHINE_OWN = ("/etc", "/var", "/home", "/mnt", "/opt", "/root", "/srv", "/usr/local", "/usr/lib/tmpfiles.d")
"""Where a machine writes, what an ostree system links into /var, and the configuration that declares it."""
AFTER_FILE = "after.raw"
_SETTLE_SECONDS = 300
_SHUTDOWN_SECONDS = 180
_POLL_SECONDS = 0.5
# In the background, so that the connection ends before the guest does.
_POWER_OFF = "systemctl is-system-running --wait; (sleep 2; systemctl poweroff) </dev/null >/dev/null 2>&1 &"


def disk_after_boot(tools: Tools, disk: Disk, request: BootRequest, directory: Path) -> Path:
    """The raw disk of a machine after one boot of ``disk``, provisioned as in a cloud, and an orderly shutdown.

    It is ``directory/after.raw``; ``disk`` is not written to. Raises WorkbookError, with the
    end of the console as its log, for a guest that is not up, or not down, in time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    machine = Machine(request.firmware, request.accelerator, request.cpus, request.memory_mib)
    new = NewInstance(request.data_source, request.agent)
    with start_instance(tools, disk, machine, new, directory) as instance:
        guest, check = instance.guest, _deadline(instance.guest, request.timeout_seconds)
        instance.wait_for_login(check)
        with log_in(tools, instance.key, guest, check) as shell:
            shell.run(_POWER_OFF, timeout_seconds=_SETTLE_SECONDS)
        _wait_for_end(guest)
        image = f"/mnt/image/{disk.path.name}"
        binds = [Bind(directory.absolute(), BOOT_MOUNT, writable=True), Bind(disk.path.absolute(), image)]
        overlay, after = f"{BOOT_MOUNT}/disk.qcow2", f"{BOOT_MOUNT}/{AFTER_FILE}"
        tools.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", overlay, after], binds=binds)
    return directory / AFTER_FILE


def below(side: FileSystem, *tops: str) -> FileSystem:
    """A file system without what is not at or below ``tops``; /etc has to be one for names of users to be known."""
    kept = {path: entry for path, entry in side.entries.items()
            if any(path == top or path.startswith(f"{top}/") for top in tops)}  # fmt: skip
    return FileSystem(side.raw, kept, side.outside)


def _deadline(guest: Guest, seconds: float) -> Deadline:
    patience = Patience(seconds)

    def check() -> None:
        reached(console_milestone(guest.require_alive()))
        if patience.is_over():
            raise WorkbookError(f"no ssh login within {seconds:g} s", log=last_lines(read_console(guest.console)))

    return check


def _wait_for_end(guest: Guest) -> None:
    patience = Patience(_SHUTDOWN_SECONDS)
    while guest.process.poll() is None:
        if patience.is_over():
            raise WorkbookError(
                f"the guest was not down within {_SHUTDOWN_SECONDS} s", log=last_lines(read_console(guest.console))
            )
        time.sleep(_POLL_SECONDS)


@dataclass(frozen=True)
class BootedRequest:
    """An image to boot once, as the variant is booted; a boot again would be another first boot."""

    variant: Variant
    image: Image


def _inputs(request: BootedRequest, _: Context) -> dict[str, object]:
    variant = request.variant
    return {
        "image": request.image.key,
        "agent": variant.agent,
        "accelerator": variant.accelerator,
        "cpus": variant.guest_cpus,
        "memory_mib": variant.guest_memory_mib,
    }


def _make(request: BootedRequest, context: Context, directory: Path) -> None:
    variant = request.variant
    boot = BootRequest(
        "bios", accelerator_of(variant, context), variant.guest_cpus, variant.guest_memory_mib,
        variant.boot_timeout_seconds, variant.agent,
    )  # fmt: skip
    disk_after_boot(context.tools, Disk(request.image.qcow2, "qcow2"), boot, directory)


BOOTED = Stage(
    "booted",
    _make,
    _inputs,
    title=lambda request: f"{request.variant.variant}: boot once and shut down",
    space_bytes=2_000_000_000,
)
