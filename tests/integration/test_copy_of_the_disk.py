"""A machine with a copy of its root disk attached: it starts nothing, and writes to neither of the two."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.model import Firmware
from atomic_lib.guest.vm.data_source import Provisioning, provide_instance
from atomic_lib.guest.vm.metadata_service import Instance
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, Disk, Guest, Machine, make_overlay, power_on, read_console
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import open_build
from atomic_lib.tools.accelerator import probe_accelerator
from atomic_lib.tools.sandbox import Bind, Tools
from tests import monitor

pytestmark = pytest.mark.integration

SECONDS = 300
BY_LOADER, BY_INITRAMFS = "is a copy of", "Not started: several file systems have the UUID"
SIGNS = {"bios": (BY_LOADER,), "uefi": (BY_LOADER, BY_INITRAMFS)}
"""What the console shows: the boot loader refuses, or, where the firmware shows it one disk only, the initramfs."""


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


def written_bytes(directory: Path) -> dict[str, int]:
    """What the guest has written to each of its drives so far."""
    with monitor._connect(directory) as connection, connection.makefile(encoding="utf-8") as lines:
        json.loads(lines.readline())  # the greeting
        for command in ("qmp_capabilities", "query-blockstats"):
            answer: dict[str, Any] = dict(monitor._ask(connection, lines, {"execute": command}))
    return {one["device"]: one["stats"]["wr_bytes"] for one in answer["return"] if one["device"] in ("disk", "copy")}


def wait_for(guest: Guest, signs: tuple[str, ...]) -> str:
    """The console, as one line, some seconds after it shows one of ``signs``, a login, or that nothing comes."""
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends and guest.process.poll() is None:
        console = read_console(guest.console)
        if any(sign in " ".join(console.split()) for sign in (*signs, " login:")):
            break
        time.sleep(1)
    time.sleep(5)  # whatever would still be written
    return " ".join(read_console(guest.console).split())


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_a_copy_of_the_root_disk_is_refused_before_anything_is_written(tmp_path: Path, firmware: Firmware) -> None:
    build = open_build(load_variant("atomic-min"))
    tools, disk = build.context.tools, Disk(build.image.qcow2, "qcow2")
    machine = Machine(firmware, probe_accelerator(tools).name, 1, 1024)
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
        provided: Provisioning = replace(found, arguments=(*monitor.MONITOR_ARGUMENTS, *found.arguments, *second))
        with power_on(tools, disk, machine, provided, tmp_path) as guest:
            console = wait_for(guest, SIGNS[firmware])
            written = written_bytes(tmp_path)
    assert " login:" not in console
    assert any(sign in console for sign in SIGNS[firmware]), console[-2000:]
    assert written == {"disk": 0, "copy": 0}
