"""The stages that boot an image: a timed boot through a firmware, a counted boot, and the accelerator."""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Accelerator, Firmware, SelinuxMode
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.guest.boot_record import BOOT_FILE
from atomic_lib.guest.counted.counted_boot import CountRequest, count_boot
from atomic_lib.guest.timed_boot import BootRequest, boot_image
from atomic_lib.guest.vm.qemu import Disk
from atomic_lib.guest.vm.slots import guest_slot
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import Variant
from atomic_lib.tools.accelerator import KVM_DEVICE, probe_accelerator
from atomic_lib.tools.context import Context

_EVIDENCE = ("console.log", BOOT_FILE, "guest.log", "report.txt")


@dataclass(frozen=True)
class ImageBoot:
    """One boot of a variant's image. ``firmware`` None is a counted boot; a warm-up has the index 0.

    ``selinux``: the mode that the image's recipe asks for. ``evidence``: the directory that gets the
    logs of a boot that fails. ``to_follow``: how many boots of the variant come after this one.
    """

    variant: Variant
    selinux: SelinuxMode
    image: Image
    evidence: Path
    firmware: Firmware | None
    index: int
    to_follow: int = 0

    @property
    def name(self) -> str:
        """What its files are named after."""
        return f"{self.firmware or 'counted'}-{self.index}"

    @property
    def stage(self) -> "Stage[ImageBoot, Context]":
        """The stage that makes it."""
        return BOOT if self.firmware else COUNTED_BOOT


def image_boots(variant: Variant, selinux: SelinuxMode, image: Image, evidence: Path) -> list[ImageBoot]:
    """The boots that a variant asks for, in the order in which they are made, which is that of ``boot_names``."""
    names = boot_names(variant)
    return [
        ImageBoot(variant, selinux, image, evidence, firmware, index, len(names) - place)
        for place, (firmware, index) in enumerate(names, start=1)
    ]


def boot_names(variant: Variant) -> list[tuple[Firmware | None, int]]:
    """Firmware (None: a counted boot) and index of each boot of ``image_boots``, in the order in which they are made.

    The first one proves that the image works. The shortest come last, when fewer variants are left that share the
    processors, and a counted boot takes longest. Boots that are timed alone come before all counted ones, which run
    beside others.
    """
    firmwares: tuple[tuple[Firmware, int], ...] = (("bios", variant.boots_bios), ("uefi", variant.boots_uefi))
    first = 0 if variant.warm_up else 1
    timed = [(name, index) for name, count in firmwares if count for index in range(first, count + 1)]
    before = len(timed) if is_timed_alone(variant) else 1
    return [*timed[:before], *((None, index + 1) for index in range(variant.counted_boots)), *timed[before:]]


def is_timed_alone(variant: Variant) -> bool:
    """Whether nothing else may run beside the variant's wall-clock boots: they are repeated, to be compared.

    A single boot proves that the image works. Its time is in no rank test, so it need not wait for others.
    """
    return variant.warm_up or max(variant.boots_bios, variant.boots_uefi) > 1


def accelerator_of(variant: Variant, context: Context) -> Accelerator:
    """The accelerator for the variant's guests. KVM is probed once per host boot.

    Raises WorkbookError if the variant asks for KVM and no guest runs under it.
    """
    if variant.accelerator == "tcg":
        return "tcg"
    facts = json.loads((ACCELERATOR.get(None, context).path / "accelerator.json").read_text())
    if variant.accelerator == "kvm" and facts["name"] != "kvm":
        raise WorkbookError(f"accelerator: kvm: {facts['reason']}", hint="set accelerator: auto, or tcg")
    name: Accelerator = facts["name"]
    return name


def _boot_request(boot: ImageBoot, context: Context) -> BootRequest:
    assert boot.firmware is not None
    variant = boot.variant
    return BootRequest(
        boot.firmware, accelerator_of(variant, context), variant.guest_cpus, variant.guest_memory_mib,
        variant.boot_timeout_seconds, variant.agent, boot.index, variant.runtime, variant.data_source, boot.selinux,
        is_timed_alone(variant),
    )  # fmt: skip


def _boot_inputs(boot: ImageBoot, context: Context) -> dict[str, object]:
    return {
        "image": boot.image.key,
        "request": vars(_boot_request(boot, context)) | {"timeout_seconds": 0},
        # boots behind a warm-up are a session of their own
        "warm_up": boot.variant.warm_up,
        # times of another machine are not samples of this one
        "host": [os.uname().release, os.cpu_count(), _cpu_model()],
    }


def _make(boot: ImageBoot, context: Context, directory: Path) -> None:
    (boot.evidence / f"boot-{boot.name}.json").unlink(missing_ok=True)  # of an earlier failure
    alone = boot.stage.quiet and is_timed_alone(boot.variant)
    accelerator = accelerator_of(boot.variant, context) if boot.firmware else "tcg"
    try:
        slot = guest_slot(accelerator, to_follow=boot.to_follow)  # here, so that no load is read before it is free
        with machine_lock(context.cache, _title(boot), alone=alone), slot:
            (_make_boot if boot.firmware else _make_counted_boot)(boot, context, directory)
    except WorkbookError as error:
        console = _keep_evidence(boot, directory)
        message = error.message
        for path in (boot.image.qcow2, boot.image.raw_path(context)):
            message = message.replace(str(path), boot.variant.variant)
        hint = error.hint.replace(str(directory / "console.log"), str(console))
        raise WorkbookError(message, hint=hint, log=error.log) from error


def _keep_evidence(boot: ImageBoot, directory: Path) -> Path:
    """Copy what a failed boot left; the place of its console log."""
    for name in _EVIDENCE:
        if (directory / name).is_file():
            stem, _, ending = name.partition(".")
            shutil.copyfile(directory / name, boot.evidence / f"{stem}-{boot.name}.{ending}")
    return boot.evidence / f"console-{boot.name}.log"


def _make_boot(boot: ImageBoot, context: Context, directory: Path) -> None:
    made = boot_image(context.tools, Disk(boot.image.qcow2, "qcow2"), _boot_request(boot, context), directory)
    failed = [f"{check.name}: {check.detail}" for check in made.checks if not check.passed]
    if failed:
        raise WorkbookError(
            f"{boot.variant.variant}: proof of life failed ({boot.firmware}): {'; '.join(failed)}",
            hint=f"read {boot.evidence / f'guest-{boot.name}.log'}; run again to retry the boot",
        )


def _counted_inputs(boot: ImageBoot, _: Context) -> dict[str, object]:
    return {
        "image": boot.image.key,
        "agent": boot.variant.agent,
        "data_source": boot.variant.data_source,
        "memory_mib": boot.variant.guest_memory_mib,
        "index": boot.index,
    }


def _make_counted_boot(boot: ImageBoot, context: Context, directory: Path) -> None:
    # With one seed all boots of an image would be the same one; with several they show what chance does.
    request = CountRequest(boot.variant.guest_memory_mib, boot.index, boot.variant.data_source)
    counted = count_boot(context, boot.image, request, directory)
    (directory / BOOT_FILE).write_text(counted.model_dump_json(indent=1) + "\n")


def _title(boot: ImageBoot) -> str:
    index = f"boot {boot.index}" if boot.index else "warm-up boot"
    how = f"through {boot.firmware.upper()}" if boot.firmware else "under instruction counting"
    return f"{boot.variant.variant}: {index} {how}"


def _accelerator_inputs(_: None, __: Context) -> dict[str, object]:
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    return {
        "kvm_device": os.access(KVM_DEVICE, os.R_OK | os.W_OK),
        "host_boot": boot_id.read_text().strip() if boot_id.exists() else "",
    }


def _probe(_: None, context: Context, directory: Path) -> None:
    (directory / "accelerator.json").write_text(json.dumps(asdict(probe_accelerator(context.tools))))


def _cpu_model() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return "unknown"


BOOT = Stage("boot", _make, _boot_inputs, title=_title, quiet=True)
COUNTED_BOOT = Stage("counted-boot", _make, _counted_inputs, title=_title)
ACCELERATOR = Stage("accelerator", _probe, _accelerator_inputs, title=lambda _: "probe the accelerator")
