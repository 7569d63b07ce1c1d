"""The counted boot: what a boot costs in instructions, by unit, independent of the load of the host.

QEMU counts the guest's instructions and drives the guest's clock by them: with shift 0 a
counted second is 10^9 instructions. Nothing outside of the guest may then influence its
time: one virtual processor; the root disk as persistent memory, read by the processor itself
without a disk to wait for; no host at the other end of the network (the metadata service runs
inside); all random numbers from one seed. https://www.qemu.org/docs/master/devel/tcg-icount.html
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Count, DataSource, read_model
from atomic_lib.base.progress import reached
from atomic_lib.guest.counted.boot_files import BootFiles, extract_boot_files
from atomic_lib.guest.counted.probe import Counts, Report, read_report
from atomic_lib.guest.counted.probe_initramfs import (
    CLOUD_INIT_OPTIONS,
    HOST_KEYS_UNIT,
    PREFIX,
    counted_instance,
    probe_archive,
)
from atomic_lib.guest.evidence.console_milestones import console_milestone
from atomic_lib.guest.vm.data_source import DISC_KIB, Provisioning, provide_instance
from atomic_lib.guest.vm.host_load import Patience
from atomic_lib.guest.vm.metadata_service import GUEST_ADDRESS, GUEST_MAC, GUEST_NETWORK, Instance
from atomic_lib.guest.vm.qemu import (
    BOOT_MOUNT,
    TCG_CPU,
    Process,
    machine_uuid,
    read_console,
    require_short,
    seccomp_argument,
)
from atomic_lib.guest.vm.slots import guest_slot
from atomic_lib.image.disk import Image
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import tool_versions

SHIFT = 0
"""An instruction takes 2^SHIFT ns of the guest's time."""
TIMEOUT_SECONDS = 1200.0
"""Of a host that has a processor for it: about ten times what a boot takes on two idle cores."""

_CLOCK_BASE = "2030-01-01T00:00:00"  # later than any systemd was built: it would set an earlier clock forward
_POLL_SECONDS = 0.2
_SLOT_MIB = 65536  # of address space beyond the disk: it must begin and end where the machine likes it
# Else code lies at random addresses: the same ones for one seed, but others after the smallest change.
_FIXED_ADDRESSES = "nokaslr norandmaps"


class CountedBoot(Counts):
    """One counted boot. Its seconds are counted, 2^shift ns for each instruction, never wall-clock seconds.

    ``masked_units``: by the kernel's command line. ``changed_units``: configured otherwise than
    in the image. ``seed``: of all random numbers. ``console_log``: a path relative to the run's
    directory.
    """

    masked_units: tuple[str, ...] = ()
    changed_units: tuple[str, ...] = ()
    shift: Count
    seed: Count | None = None
    qemu_version: str | None = None
    console_log: str | None = None


def read_counted_boot(path: Path) -> CountedBoot:
    """Read the ``boot.json`` of a counted boot. Raises WorkbookError naming the first key that is wrong."""
    return read_model(CountedBoot, path, hint="remove the directory: the next run boots the image again")


@dataclass(frozen=True)
class CountRequest:
    """How to make a counted boot. Its figures depend on all of these but the time limit.

    ``seed``: of all random numbers; another one shows what chance does to a figure.
    ``data_source``: where the guest's data come from; the metadata service runs inside of it.
    ``extra_units``: texts of services, by name, that are started with multi-user.target;
    ``extra_programs``: static programs that they find as /run/counted/NAME.
    """

    memory_mib: int = 2048
    seed: int = 1
    data_source: DataSource = "ec2"
    extra_units: Mapping[str, str] = field(default_factory=dict)
    extra_programs: Mapping[str, bytes] = field(default_factory=dict)
    timeout_seconds: float = TIMEOUT_SECONDS


def count_boot(context: Context, image: Image, request: CountRequest, directory: Path) -> CountedBoot:
    """Boot the image once, counted; the image is not written to.

    ``directory`` gets ``console.log`` and ``report.txt``. Raises WorkbookError, with the end of
    the console as its log, when the guest does not report within the time limit, and when the
    report is cut off or garbled, or says that the boot did not reach its end.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tools, raw = context.tools, image.raw_disk(context)
    boot = extract_boot_files(raw, directory)
    if any(entry.path.endswith("/usr/bin/cloud-init") for entry in image.entries()):
        boot = replace(boot, options=f"{boot.options} {CLOUD_INIT_OPTIONS}")
    instance = counted_instance()
    try:
        _append_probe(boot.initramfs, tools, instance if request.data_source == "ec2" else None, request)
        with _provide(request.data_source, instance, tools, directory) as provided:
            _run_guest(tools, raw, counted_argv(image, boot.options, request, provided), directory, request)
    finally:
        for path in (boot.kernel, boot.initramfs):
            path.unlink(missing_ok=True)
    report = (directory / "report.txt").read_bytes().decode(errors="replace")
    counts = _finished(read_report(report), directory)
    return counted_boot(counts, boot, request, tool_versions(tools)["qemu-system-x86"])


def counted_argv(image: Image, options: str, request: CountRequest, provided: Provisioning) -> list[str]:
    """The QEMU command line of a counted boot."""
    serial = machine_uuid("counted", ec2=request.data_source == "ec2")
    disk_mib = -(-image.virtual_bytes // 2**20)
    disc, slots = _disc_arguments(provided.disc), 2 if provided.disc else 1
    return [
        "qemu-system-x86_64", "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot",
        "-sandbox", seccomp_argument(spawn=False),
        "-machine", "q35,nvdimm=on", "-accel", "tcg,thread=single", "-cpu", TCG_CPU, "-smp", "1",
        "-m", f"{request.memory_mib},slots={slots},maxmem={request.memory_mib + disk_mib + _SLOT_MIB}M",
        "-icount", f"shift={SHIFT},sleep=off", "-rtc", f"base={_CLOCK_BASE},clock=vm", "-seed", str(request.seed),
        "-smbios", f"type=1,uuid={serial},serial={serial}",
        "-kernel", f"{BOOT_MOUNT}/kernel", "-initrd", f"{BOOT_MOUNT}/initramfs",
        "-append", f"{options} {_FIXED_ADDRESSES}",
        "-serial", f"file:{BOOT_MOUNT}/console.log", "-serial", f"file:{BOOT_MOUNT}/report.txt",
        # A private mapping: what the guest writes stays in memory and is gone with QEMU.
        "-object", f"memory-backend-file,id=disk,mem-path=/mnt/image,size={image.virtual_bytes},share=off,"
                   "readonly=on,rom=off",
        "-device", "nvdimm,memdev=disk,unarmed=off",
        *disc,
        "-netdev", f"user,id=net,ipv6=off,restrict=on,net={GUEST_NETWORK},host=169.254.169.2,dns=169.254.169.3,"
                   f"dhcpstart={GUEST_ADDRESS}",
        # Packets leave by the guest's clock, not when the host's main loop gets to them.
        "-device", f"virtio-net-pci,netdev=net,mac={GUEST_MAC},romfile=,tx=timer,ioeventfd=off",
        *provided.arguments,
    ]  # fmt: skip


def _disc_arguments(disc: str | None) -> list[str]:
    """A disc as persistent memory, for the reason that the root disk is."""
    if disc is None:
        return []
    memory = f"memory-backend-file,id=disc,mem-path={BOOT_MOUNT}/{disc},size={DISC_KIB}K,share=off,readonly=on,rom=off"
    return ["-object", memory, "-device", "nvdimm,memdev=disc,unarmed=off"]


@contextmanager
def _provide(source: DataSource, instance: Instance, tools: Tools, directory: Path) -> Iterator[Provisioning]:
    """The provisioning of a counted guest: as in a timed boot, but without a metadata service outside of the guest."""
    if source == "ec2":
        yield Provisioning()
        return
    with provide_instance(source, instance, tools, directory=directory, seen_as=BOOT_MOUNT) as provided:
        yield provided


def masked_units(options: str) -> tuple[str, ...]:
    """The units that a kernel command line masks."""
    words = [word.partition("=") for word in options.split()]
    return tuple(sorted({value for name, _, value in words if name == "systemd.mask"}))


def _append_probe(initramfs: Path, tools: Tools, served: Instance | None, request: CountRequest) -> None:
    odd = [unit for unit in request.extra_units if unit.startswith(PREFIX) or "/" in unit]
    if odd:
        raise WorkbookError(f"extra unit {odd[0]}: the name is reserved for the probe, or is not a unit name")
    busybox = (tools.root / "usr/bin/busybox").read_bytes()
    with open(initramfs, "ab") as file:
        file.write(b"\0" * (-file.tell() % 512))
        file.write(probe_archive(busybox, served, request.extra_units, request.extra_programs))


def _run_guest(tools: Tools, raw: Path, line: list[str], directory: Path, request: CountRequest) -> None:
    """Run the guest until it switches itself off."""
    for name in ("console.log", "report.txt", "qemu.log"):
        (directory / name).unlink(missing_ok=True)
    binds = [Bind(directory.absolute(), BOOT_MOUNT, writable=True), Bind(raw.absolute(), "/mnt/image")]
    with guest_slot("tcg"), tools.running(line, log=directory / "qemu.log", binds=binds) as process:
        wait_for_report(process, directory, request.timeout_seconds)


def wait_for_report(process: Process, directory: Path, timeout_seconds: float) -> None:
    """Wait until QEMU ends.

    Raises WorkbookError, with the evidence as its log, where there is no report, and where a guest writes without end.
    """
    patience = Patience(timeout_seconds)
    console = directory / "console.log"
    while (status := process.poll()) is None:
        if patience.is_over():
            raise WorkbookError(
                f"the counted boot did not report within {timeout_seconds:g} s: {_progress(directory)}",
                hint=f"read {console}",
                log=last_lines(read_console(console)),
            )
        for serial in (console, directory / "report.txt"):
            require_short(serial)
        reached(console_milestone(read_console(console)))
        time.sleep(_POLL_SECONDS)
    if status != 0:
        log = last_lines((directory / "qemu.log").read_text(errors="replace"))
        raise WorkbookError(f"QEMU ended with status {status}", hint=f"read {console}", log=log)
    if not (directory / "report.txt").exists() or not (directory / "report.txt").stat().st_size:
        raise WorkbookError(
            f"the guest switched itself off without a report: {_progress(directory)}",
            hint=f"read {console}",
            log=last_lines(read_console(console)),
        )


def _progress(directory: Path) -> str:
    """How far the guest got, by its console."""
    text = read_console(directory / "console.log")
    if (directory / "report.txt").exists() and (directory / "report.txt").stat().st_size:
        return "its report is not complete"
    for sign, meaning in (
        ("Kernel panic - not syncing", "its kernel panicked"),
        (" login: ", "it reached the login, but its systemd still has jobs, or may not run the probe"),
        ("Welcome to", "its systemd did not reach the end of the boot"),
        ("Linux version", "its kernel found no system to start"),
    ):
        if sign in text:
            return meaning
    return (
        "its systemd did not reach the end of the boot" if text.strip() else "its kernel wrote nothing to the console"
    )


def _finished(report: Report, directory: Path) -> Counts:
    """The counts of a boot that reached its end; a failed unit is a result, not an error."""
    if report.state in ("running", "degraded"):
        return report.counts
    raise WorkbookError(
        f"the counted boot did not reach its end: systemd says {report.state or 'nothing'}",
        hint=f"read {directory / 'console.log'}",
        log=last_lines(read_console(directory / "console.log")),
    )


def counted_boot(counts: Counts, boot: BootFiles, request: CountRequest, qemu_version: str) -> CountedBoot:
    """What is kept of a counted boot: what it cost, and how it was made."""
    return CountedBoot(
        **dict(counts),
        masked_units=masked_units(boot.options),
        changed_units=(HOST_KEYS_UNIT,),
        shift=SHIFT,
        seed=request.seed,
        qemu_version=qemu_version,
    )
