"""What a notebook or a driver works with: the tools tree, the store, and one call for each stage."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from atomic_lib.compose.resolve import RpmSet, resolve_rpm_set
from atomic_lib.compose.tree import Tree, compose_tree
from atomic_lib.content.repositories import Content, open_content
from atomic_lib.errors import WorkbookError
from atomic_lib.host import Tools, cache_directory, open_tools, tool_versions
from atomic_lib.image.disk import Image, build_image
from atomic_lib.machine.accelerator import KVM_DEVICE, AcceleratorName, probe_accelerator
from atomic_lib.machine.boot import BootRequest, boot_image
from atomic_lib.machine.qemu import Firmware
from atomic_lib.params import Variant, variant_from
from atomic_lib.progress import say
from atomic_lib.recipe import load_recipe
from atomic_lib.recipe.model import Recipe
from atomic_lib.report.record import VariantRecord
from atomic_lib.store import Store, Stored, code_version

CHECKOUT = Path(__file__).parent.parent
BUILD = CHECKOUT / "build"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Workbench:
    """One variant at work: its stages in order, each result kept in the store, the record in ``directory``."""

    variant: Variant
    directory: Path
    cache: Path
    store: Store

    @cached_property
    def tools(self) -> Tools:
        """The tools tree, made first if need be."""
        return self._stage("tools", lambda: open_tools(self.cache))

    @cached_property
    def recipe(self) -> Recipe:
        """The variant's recipe."""
        return self._stage("recipe", lambda: load_recipe(self.variant))

    @cached_property
    def content(self) -> Content:
        """Where the variant's packages come from."""
        return self._stage("content", lambda: open_content(self.variant.content, self.tools, self.cache))

    @cached_property
    def record(self) -> VariantRecord:
        """What is known of the variant so far, written as ``result.json`` after each stage."""
        return VariantRecord(self.variant, self.directory, CHECKOUT)

    def resolve(self) -> RpmSet:
        """The packages, resolved or as the lock says; ``lock.json`` is put beside the result."""
        lock = CHECKOUT / self.variant.lock if self.variant.lock else None
        recipe, content = self.recipe, self.content  # before the stage: each is one of its own
        rpm_set = self._stage(
            "resolve",
            lambda: resolve_rpm_set(
                recipe, content, self.tools, self.cache, self.store, name=self.variant.variant, lock_file=lock
            ),
        )
        shutil.copyfile(rpm_set.directory.parent / "lock.json", self.directory / "lock.json")
        self.record.add_packages(self.recipe, rpm_set, self.tools.key, tool_versions(self.tools))
        return rpm_set

    def compose(self, rpm_set: RpmSet) -> Tree:
        """The composed tree and its footprint."""
        tree = self._stage(
            "compose",
            lambda: compose_tree(self.variant, self.recipe, self.content, rpm_set, self.tools, self.store),
        )
        self.record.add_tree(rpm_set, tree)
        return tree

    def build(self, tree: Tree) -> Image | None:
        """The disk image; None for a variant that goes no further than its tree."""
        if self.variant.last_stage == "tree":
            self.record.finish()
            return None
        image = self._stage(
            "image",
            lambda: build_image(self.variant, self.recipe, self.content, tree, self.tools, self.store),
        )
        self.record.add_image(image)
        return image

    def boot(self, image: Image | None, *, new_boots: int) -> Sequence[Mapping[str, Any]]:
        """The boots that the variant asks for: those already made, and at most ``new_boots`` made now.

        Counted ones come after all others. Raises WorkbookError when a guest never answers or
        fails its proof of life; the console log is then in ``directory``.
        """
        if image is None or self.variant.last_stage != "boot":
            self.record.finish()
            return []
        boots: list[Mapping[str, Any]] = []
        missing = 0
        for firmware, index in self._wanted_boots():
            try:
                made = self._stage("boot", partial(self._boot, image, firmware, index, new_boots > 0))
            except WorkbookError:
                # what was measured stays in the record, also of the boot that failed its proof of life
                self.record.add_boots([*boots, *self._failed_boot(firmware, index)], None)
                raise
            if made is None:
                missing += 1
                continue
            new_boots -= not made.reused
            boots.append(self._kept_boot(made, firmware, index))
        self.record.add_boots(boots, missing)
        return boots

    def _failed_boot(self, firmware: Firmware, index: int) -> list[Mapping[str, Any]]:
        data = self.directory / f"boot-{firmware}-{index}.json"
        if not data.is_file():
            return []
        return [
            {**json.loads(data.read_text()), "console_log": f"{self.variant.variant}/console-{firmware}-{index}.log"}
        ]

    def _wanted_boots(self) -> list[tuple[Firmware, int]]:
        bios: list[tuple[Firmware, int]] = [("bios", index + 1) for index in range(self.variant.boots_bios)]
        return [*bios, *(("uefi", index + 1) for index in range(self.variant.boots_uefi))]

    @cached_property
    def _accelerator(self) -> AcceleratorName:
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
        name: AcceleratorName = facts["name"]
        return name

    def _boot(self, image: Image, firmware: Firmware, index: int, may_make: bool) -> Stored | None:
        variant = self.variant
        request = BootRequest(
            firmware, self._accelerator, variant.guest_cpus, variant.guest_memory_mib,
            variant.boot_timeout_seconds, variant.agent, index,
        )  # fmt: skip
        inputs = {
            "image": image.key,
            "request": vars(request) | {"timeout_seconds": 0},
            "tools": self.tools.key,
            "code": code_version("machine"),
        }

        def make(directory: Path) -> None:
            try:
                boot = boot_image(self.tools, image.qcow2, "qcow2", request, directory)
                failed = [f"{check.name}: {check.detail}" for check in boot.findings.checks if not check.passed]
                if failed:
                    raise WorkbookError(
                        f"{variant.variant}: proof of life failed ({firmware}): {'; '.join(failed)}",
                        hint=f"read {self.directory.relative_to(CHECKOUT)}/guest-{firmware}-{index}.log; "
                        "a further run boots the image again",
                    )
            except WorkbookError as error:
                console = _keep_evidence(directory, self.directory, f"{firmware}-{index}")
                message = error.message.replace(str(image.qcow2), variant.variant)
                hint = error.hint.replace(str(directory / "console.log"), console)
                raise WorkbookError(message, hint=hint, log=error.log) from error

        if not may_make and not self.store.has("boot", inputs):
            return None
        what = f"{variant.variant}: boot {index} through {firmware.upper()} ({self._accelerator.upper()})"
        return self.store.get_or_make("boot", inputs, make, what=what)

    def _kept_boot(self, made: Stored, firmware: Firmware, index: int) -> Mapping[str, Any]:
        console = f"console-{firmware}-{index}.log"
        shutil.copyfile(made.path / "console.log", self.directory / console)
        data: dict[str, Any] = json.loads((made.path / "boot.json").read_text())
        return {**data, "console_log": f"{self.variant.variant}/{console}"}

    def _stage(self, name: str, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except WorkbookError as error:
            self.record.fail(name, error)
            raise


def _keep_evidence(source: Path, target: Path, name: str) -> str:
    """Copy what a failed boot left beside the variant's page; the console log's place, if there is one."""
    for file in ("console.log", "boot.json", "guest.log"):
        if (source / file).is_file():
            stem, _, ending = file.partition(".")
            shutil.copyfile(source / file, target / f"{stem}-{name}.{ending}")
    console = target / f"console-{name}.log"
    return str(console.relative_to(CHECKOUT)) if console.is_file() else ""


def open_workbench(values: Mapping[str, Any], output_directory: str) -> Workbench:
    """A workbench for the variant that ``values`` describes; other names in ``values`` are not looked at.

    ``output_directory`` is relative to the checkout; empty: ``build/variants/VARIANT``.

    Raises WorkbookError naming the parameter that is wrong, or for a user who is not root.
    """
    known = {name: values[name] for name in Variant.model_fields if name in values}
    variant = variant_from(known, f"parameters of {known.get('variant', 'the variant')}")
    if os.geteuid() != 0:
        raise WorkbookError(
            "composing needs root: owners, device nodes and labels of another system are written",
            hint="sudo ./workbook run, or sudo ./workbook lab",
        )
    output_directory = output_directory or f"build/variants/{variant.variant}"
    directory = CHECKOUT / output_directory
    directory.mkdir(parents=True, exist_ok=True)
    say(f"{variant.variant}: results go to {output_directory}")
    return Workbench(variant, directory, cache_directory(), Store(BUILD / "store"))
