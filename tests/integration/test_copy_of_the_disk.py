"""A machine with a copy of its root disk attached: it starts nothing, and writes to neither of the two."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.model import Firmware
from atomic_lib.guest.vm.data_source import Provisioning, provide_instance
from atomic_lib.guest.vm.metadata_service import Instance
from atomic_lib.guest.vm.monitor import MONITOR_ARGUMENTS
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, Disk, Guest, Machine, make_overlay, power_on, read_console
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import open_build
from atomic_lib.tools.accelerator import probe_accelerator
from atomic_lib.tools.sandbox import Bind, Tools

pytestmark = pytest.mark.integration

SECONDS = 300
SIGNS = {"bios": "is a copy of", "uefi": "Not started: several file systems have the UUID"}
"""What refuses: the boot loader, or, where it sees one disk only, the initramfs."""


def make_copy(tools: Tools, image: Image, directory: Path) -> str:
    """An overlay of the same image, which is a disk of its own; its path for QEMU."""
    other = f"{BOOT_MOUNT}/copy.qcow2"
    words = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", "/mnt/image/disk.qcow2", "-F", "qcow2", other]
    binds = [
        Bind(directory.absolute(), BOOT_MOUNT, writable=True),
        Bind(image.qcow2.absolute(), "/mnt/image/disk.qcow2"),
    ]
    tools.run(words, binds=binds)
    return other


def allocated_clusters(tools: Tools, disk: Disk, directory: Path, name: str) -> int:
    """The bytes of an overlay that the guest wrote."""
    binds = [Bind(directory.absolute(), BOOT_MOUNT), Bind(disk.path.absolute(), f"/mnt/image/{disk.path.name}")]
    words = ["qemu-img", "map", "--force-share", "--output=json", f"{BOOT_MOUNT}/{name}"]
    extents = json.loads(tools.run(words, binds=binds).stdout)
    return sum(extent["length"] for extent in extents if extent["depth"] == 0 and extent["present"])


def wait_for(guest: Guest, sign: str) -> str:
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends and guest.process.poll() is None:
        console = read_console(guest.console)
        if sign in " ".join(console.split()) or " login:" in console:
            break
        time.sleep(1)
    time.sleep(5)  # whatever would still be written
    return " ".join(read_console(guest.console).split())


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_a_copy_of_the_root_disk_is_refused_before_anything_is_written(tmp_path: Path, firmware: Firmware) -> None:
    build = open_build(load_variant("atomic-min"))
    tools, disk = build.context.tools, Disk(build.image.qcow2, "qcow2")
    machine = Machine(firmware, probe_accelerator(tools).name, 2, 1024)
    make_overlay(tools, disk, machine, tmp_path)
    copy = make_copy(tools, build.image, tmp_path)
    with provide_instance("ec2", Instance("i-1", "h", ()), tools, directory=tmp_path, seen_as=BOOT_MOUNT) as found:
        # no boot index: UEFI firmware then connects the disk that it boots from, and not this one
        second = (
            "-drive",
            f"if=none,id=copy,file={copy},format=qcow2,cache=unsafe",
            "-device",
            "virtio-blk-pci,drive=copy",
        )
        provided: Provisioning = replace(found, arguments=(*MONITOR_ARGUMENTS, *found.arguments, *second))
        with power_on(tools, disk, machine, provided, tmp_path) as guest:
            console = wait_for(guest, SIGNS[firmware])
    assert " login:" not in console
    assert SIGNS[firmware] in console
    assert {name: allocated_clusters(tools, disk, tmp_path, name) for name in ("disk.qcow2", "copy.qcow2")} == {
        "disk.qcow2": 0, "copy.qcow2": 0,
    }  # fmt: skip
