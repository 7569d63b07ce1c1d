"""Which accelerator really runs a guest: found out by booting a 512-byte disk."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.command import CommandError, run
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Accelerator
from atomic_lib.tools.sandbox import Bind, Tools

KVM_DEVICE = Path("/dev/kvm")
PROBE_SECONDS = {"kvm": 5.0, "tcg": 30.0}
"""Time limits of the test guest. Under TCG it takes about a second; a busy host gets time."""

_EXIT_STATUS = 0x10 << 1 | 1  # what isa-debug-exit makes of the value 0x10
_EXIT_PORT = 0xF4
_DISK_BYTES = 1 << 20  # the firmware reads nothing from a disk of less than a cylinder

_CODE = """
    fa 31c0 8ed8 8ec0 8ed0 bc007c   # 7c00  cli; ax = ds = es = ss = 0; sp = 0x7c00
    bf0010 b90018 fc f3ab           # 7c0c  clear 1000-3fff for three page tables
    c70600100320                    # 7c15  level 4, entry 0: table at 2000, present, writable
    c70600200330                    # 7c1b  level 3, entry 0: table at 3000, present, writable
    c70600308300                    # 7c21  level 2, entry 0: the first 2 MiB as one page
    66b800100000 0f22d8             # 7c27  cr3 = 0x1000
    0f20e0 0c20 0f22e0              # 7c30  cr4: physical address extension
    66b9800000c0 0f32 80cc01 0f30   # 7c38  register EFER: long mode
    0f01167f7c                      # 7c45  lgdt [7c7f]
    0f20c0 660d01000080 0f22c0      # 7c4a  cr0: protection and paging
    ea5b7c0800                      # 7c56  jmp 8:7c5b, from here on 64-bit
    b9002d3101 ffc9 75fc            # 7c5b  count 20 million down
    baf4000000 b010 ee              # 7c64  out 0x10 to port 0xf4, isa-debug-exit: QEMU ends
    f4 ebfd                         # 7c6c  not reached: hlt; jmp $-1
    0000000000000000                # 7c6f  descriptor 0: none
    00000000009a2000                # 7c77  descriptor 8: 64-bit code
    0f00 6f7c0000                   # 7c7f  limit and address of the descriptors
"""


@dataclass(frozen=True)
class ProbedAccelerator:
    """What guests run under, and the sentence that says why."""

    name: Accelerator
    reason: str


def boot_sector() -> bytes:
    """A master boot record whose code ends QEMU with a status that nothing else gives.

    The firmware runs it in real mode; it goes on to 64-bit mode and counts there, as the
    kernel of a real guest would. That matters: some nested KVM takes a guest through its
    firmware and then stands still.
    """
    code = bytes.fromhex("".join(line.partition("#")[0] for line in _CODE.splitlines()))
    return code.ljust(510, b"\0") + b"\x55\xaa"


def probe_accelerator(tools: Tools) -> ProbedAccelerator:
    """KVM when a test guest boots under it within 5 s, else TCG.

    A device node says little: /dev/kvm can open, make a virtual machine and still hang it.
    Raises WorkbookError when the test guest does not even run under TCG.
    """
    refusal = kvm_refusal(tools)
    if not refusal:
        return ProbedAccelerator("kvm", "a test guest booted under KVM")
    failure = boot_failure(tools, "tcg")
    if failure:
        raise WorkbookError(f"QEMU runs no guest: under TCG {failure}", hint="./workbook doctor shows the tools")
    return ProbedAccelerator("tcg", refusal)


def kvm_refusal(tools: Tools) -> str:
    """Why KVM cannot be used, as one sentence; empty when it works."""
    if not KVM_DEVICE.exists():
        return f"there is no {KVM_DEVICE}"
    try:
        KVM_DEVICE.open("r+b", buffering=0).close()
    except OSError as error:
        return f"{KVM_DEVICE} cannot be opened: {error.strerror}"
    failure = boot_failure(tools, "kvm")
    return f"{KVM_DEVICE} opens, but {failure}" if failure else ""


def boot_failure(tools: Tools, name: Accelerator) -> str:
    """Boot the test guest under ``name``; what went wrong, or an empty string."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "disk").write_bytes(boot_sector().ljust(_DISK_BYTES, b"\0"))
        line = tools.argv(
            probe_argv(name, "/mnt/probe/disk"),
            binds=[Bind(Path(directory), "/mnt/probe")],
            devices=[str(KVM_DEVICE)] if name == "kvm" else [],
        )
        return _run_failure(line, PROBE_SECONDS[name])


def probe_argv(name: Accelerator, disk: str) -> list[str]:
    """The QEMU command line of the test guest."""
    return [
        "qemu-system-x86_64", "-no-user-config", "-nodefaults", "-display", "none", "-machine", "q35",
        "-accel", name, "-cpu", "host" if name == "kvm" else "max,-svm", "-m", "64", "-no-reboot",
        "-drive", f"file={disk},format=raw,if=ide,snapshot=on",
        "-device", f"isa-debug-exit,iobase={_EXIT_PORT:#x},iosize=0x04",
    ]  # fmt: skip


def _run_failure(line: list[str], limit_seconds: float) -> str:
    try:
        run(line, timeout_seconds=limit_seconds)
    except CommandError as error:
        if error.status == _EXIT_STATUS:
            return ""
        if error.status is None:
            return f"a test guest did not run within {limit_seconds:g} s"
        words = (error.stderr.strip().splitlines() or [f"exit status {error.status}"])[-1]
        return f"a test guest did not start: {words}"
    return "a test guest ended before it ran"
