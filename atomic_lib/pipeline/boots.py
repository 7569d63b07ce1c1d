"""The boots of one variant: which it asks for, each made once and kept, and what a failed one leaves."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Accelerator, Firmware, SelinuxMode
from atomic_lib.base.store import Store, Stored, code_version
from atomic_lib.guest.boot_record import BOOT_FILE, StoredBoot, read_boot
from atomic_lib.guest.counted.counted_boot import CountedBoot, CountRequest, count_boot, read_counted_boot
from atomic_lib.guest.timed_boot import BootRequest, boot_image
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import Variant
from atomic_lib.tools.accelerator import KVM_DEVICE, probe_accelerator
from atomic_lib.tools.tools_tree import Tools

_COUNTED_ONLY = ("apparatus.py", "boot_files.py", "counted.py", "cpio.py", "probe.py")
_COUNTED_CODE = tuple(
    f"machine/{name}" for name in (*_COUNTED_ONLY, "data_source.py", "metadata.py", "qemu.py", "systemd.py")
)
_BOOT_CODE = tuple(
    f"machine/{path.name}"
    for path in sorted((Path(__file__).parent / "machine").glob("*.py"))
    if path.name not in (*_COUNTED_ONLY, "difference.py")
)


@dataclass(frozen=True)
class Wanted:
    """One boot that a variant asks for; ``firmware`` None is a counted one. A warm-up has the index 0."""

    firmware: Firmware | None
    index: int

    @property
    def name(self) -> str:
        """What its files are named after."""
        return f"{self.firmware or 'counted'}-{self.index}"


def wanted_boots(variant: Variant) -> list[Wanted]:
    """The boots of a variant, in the order in which they are made; the counted ones come last."""
    firmwares: tuple[tuple[Firmware, int], ...] = (("bios", variant.boots_bios), ("uefi", variant.boots_uefi))
    first = 0 if variant.warm_up else 1
    timed = [Wanted(name, index) for name, count in firmwares if count for index in range(first, count + 1)]
    return [*timed, *(Wanted(None, index + 1) for index in range(variant.counted_boots))]


@dataclass(frozen=True)
class Boots:
    """The boots of one image; evidence goes into ``directory``, which is inside ``checkout``.

    ``selinux``: the mode that the image's recipe asks for.
    """

    variant: Variant
    selinux: SelinuxMode
    image: Image
    tools: Tools
    store: Store
    directory: Path
    checkout: Path

    def get_or_make(self, wanted: Wanted, *, may_make: bool) -> Stored | None:
        """The stored boot, made now if it may be; None where it is not there.

        Raises WorkbookError when the guest never reports or fails its proof of life; its
        console log is then in ``directory``.
        """
        counted = wanted.firmware is None
        stage, inputs = ("counted-boot", self._counted_inputs(wanted)) if counted else ("boot", self._inputs(wanted))
        if not may_make and not self.store.has(stage, inputs):
            return None
        how = "counted" if counted else f"through {str(wanted.firmware).upper()}"
        index = f"boot {wanted.index}" if wanted.index else "warm-up boot"
        what = f"{self.variant.variant}: {index} {how} ({'icount' if counted else self._accelerator.upper()})"
        return self.store.get_or_make(stage, inputs, self._with_evidence(wanted), what=what)

    def timed(self, made: Stored, wanted: Wanted) -> StoredBoot:
        """A timed boot that was made; its console log is copied into ``directory``."""
        return self._timed(made.path / BOOT_FILE, wanted, self._keep_console(made.path, wanted))

    def counted(self, made: Stored, wanted: Wanted) -> CountedBoot:
        """A counted boot that was made; its console log is copied into ``directory``."""
        boot = read_counted_boot(made.path / BOOT_FILE)
        return boot.model_copy(update={"console_log": self._keep_console(made.path, wanted)})

    def failed(self, wanted: Wanted) -> list[StoredBoot]:
        """The timed boot that failed its proof of life, if it came that far."""
        kept = self.directory / f"boot-{wanted.name}.json"
        console = f"{self.directory.name}/console-{wanted.name}.log"
        return [self._timed(kept, wanted, console)] if kept.is_file() else []

    def _timed(self, file: Path, wanted: Wanted, console: str) -> StoredBoot:
        stored = read_boot(file)
        update = {"console_log": console, "warm_up": wanted.index == 0}
        return stored.model_copy(update={"boot": stored.boot.model_copy(update=update)})

    def _keep_console(self, source: Path, wanted: Wanted) -> str:
        name = f"console-{wanted.name}.log"
        shutil.copyfile(source / "console.log", self.directory / name)
        return f"{self.directory.name}/{name}"

    def _with_evidence(self, wanted: Wanted) -> Callable[[Path], None]:
        make = self._count if wanted.firmware is None else self._boot

        def make_or_explain(directory: Path) -> None:
            # what an earlier failure left is not this boot's
            (self.directory / f"boot-{wanted.name}.json").unlink(missing_ok=True)
            try:
                make(wanted, directory)
            except WorkbookError as error:
                console = self._keep_evidence(directory, wanted.name)
                message = error.message
                for path in (self.image.qcow2, self.image.raw):
                    message = message.replace(str(path), self.variant.variant)
                hint = error.hint.replace(str(directory / "console.log"), console)
                raise WorkbookError(message, hint=hint, log=error.log) from error

        return make_or_explain

    def _boot(self, wanted: Wanted, directory: Path) -> None:
        boot = boot_image(self.tools, self.image.qcow2, "qcow2", self._request(wanted), directory)
        failed = [f"{check.name}: {check.detail}" for check in boot.checks if not check.passed]
        if failed:
            raise WorkbookError(
                f"{self.variant.variant}: proof of life failed ({wanted.firmware}): {'; '.join(failed)}",
                hint=f"read {self.directory.relative_to(self.checkout)}/guest-{wanted.name}.log; "
                "a further run boots the image again",
            )

    def _count(self, wanted: Wanted, directory: Path) -> None:
        # With one seed all boots of an image would be the same one; with several they show what chance does.
        request = CountRequest(self.variant.guest_memory_mib, wanted.index, self.variant.data_source)
        counted = count_boot(self.tools, self.image, request, directory)
        (directory / BOOT_FILE).write_text(counted.model_dump_json(indent=1) + "\n")

    def _request(self, wanted: Wanted) -> BootRequest:
        assert wanted.firmware is not None
        variant = self.variant
        return BootRequest(
            wanted.firmware, self._accelerator, variant.guest_cpus, variant.guest_memory_mib,
            variant.boot_timeout_seconds, variant.agent, wanted.index, variant.runtime, variant.data_source,
            self.selinux,
        )  # fmt: skip

    def _inputs(self, wanted: Wanted) -> Mapping[str, Any]:
        return {
            "image": self.image.key,
            "request": vars(self._request(wanted)) | {"timeout_seconds": 0},
            # boots behind a warm-up are a session of their own
            "warm_up": self.variant.warm_up,
            # times of another machine are no samples of this one
            "host": [os.uname().release, os.cpu_count(), _cpu_model()],
            "tools": self.tools.key,
            "code": code_version(*_BOOT_CODE),
        }

    def _counted_inputs(self, wanted: Wanted) -> Mapping[str, Any]:
        return {
            "image": self.image.key,
            "agent": self.variant.agent,
            "data_source": self.variant.data_source,
            "memory_mib": self.variant.guest_memory_mib,
            "index": wanted.index,
            "tools": self.tools.key,
            "code": code_version(*_COUNTED_CODE),
        }

    def _keep_evidence(self, source: Path, name: str) -> str:
        """Copy what a failed boot left beside the variant's page; the console log's place, if there is one."""
        for file in ("console.log", "boot.json", "guest.log", "report.txt"):
            if (source / file).is_file():
                stem, _, ending = file.partition(".")
                shutil.copyfile(source / file, self.directory / f"{stem}-{name}.{ending}")
        console = self.directory / f"console-{name}.log"
        return str(console.relative_to(self.checkout)) if console.is_file() else ""

    @cached_property
    def _accelerator(self) -> Accelerator:
        """What guests run on; whether KVM really runs one is found out once per boot of the host."""
        if self.variant.accelerator == "tcg":
            return "tcg"
        boot_id = Path("/proc/sys/kernel/random/boot_id")
        inputs = {
            "kvm_device": os.access(KVM_DEVICE, os.R_OK | os.W_OK),
            "host_boot": boot_id.read_text().strip() if boot_id.exists() else "",
            "tools": self.tools.key,
            "code": code_version("machine/accelerator.py"),
        }

        def make(directory: Path) -> None:
            (directory / "accelerator.json").write_text(json.dumps(asdict(probe_accelerator(self.tools))))

        stored = self.store.get_or_make("accelerator", inputs, make, what="probe the accelerator")
        facts = json.loads((stored.path / "accelerator.json").read_text())
        if self.variant.accelerator == "kvm" and facts["name"] != "kvm":
            raise WorkbookError(f"accelerator: kvm: {facts['reason']}", hint="set accelerator: auto, or tcg")
        name: Accelerator = facts["name"]
        return name


def _cpu_model() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return "unknown"
