"""Boots without a guest: what stands in for QEMU in the stages that boot an image."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest import boot_stages
from atomic_lib.guest.boot_record import BOOT_FILE, Boot, StoredBoot
from atomic_lib.guest.counted.counted_boot import CountedBoot, CountRequest
from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.guest.timed_boot import BootRequest
from atomic_lib.guest.vm.qemu import Disk
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import Variant, variant_from


@dataclass
class Guests:
    """The boots that were made. ``checks``: what each proves from now on; ``unreachable``: whether none answers.

    ``slots``: the accelerator of each guest, and how many were to follow it.
    """

    checks: dict[str, bool] = field(default_factory=lambda: {"system is running": True})
    unreachable: bool = False
    timed: list[BootRequest] = field(default_factory=list)
    counted: list[CountRequest] = field(default_factory=list)
    slots: list[tuple[str, int]] = field(default_factory=list)

    def boot(self, _: object, __: Disk, request: BootRequest, directory: Path) -> Boot:
        """In place of ``boot_image``."""
        self.timed.append(request)
        self._leave_console(directory)
        checks = tuple(Check(name=name, passed=passed, detail="as told") for name, passed in self.checks.items())
        boot = Boot(index=request.index, firmware=request.firmware, accelerator=request.accelerator, checks=checks)
        (directory / BOOT_FILE).write_text(StoredBoot(boot=boot).model_dump_json())
        return boot

    def count(self, _: object, __: Image, request: CountRequest, directory: Path) -> CountedBoot:
        """In place of ``count_boot``."""
        self.counted.append(request)
        self._leave_console(directory)
        return CountedBoot(busy_seconds=1.0, outside_units_seconds=1.0, shift=1, seed=request.seed)

    @contextmanager
    def slot(self, accelerator: str, *, to_follow: int) -> Iterator[None]:
        """In place of ``guest_slot``: guests that do not exist wait for no real ones."""
        self.slots.append((accelerator, to_follow))
        yield

    def _leave_console(self, directory: Path) -> None:
        (directory / "console.log").write_text("the end of the console\n")
        if self.unreachable:
            raise WorkbookError("no ssh login within 600 s", hint=f"read {directory / 'console.log'}")


def install_guests(monkeypatch: pytest.MonkeyPatch) -> Guests:
    """Have the stages make their boots here."""
    guests = Guests()
    monkeypatch.setattr(boot_stages, "boot_image", guests.boot)
    monkeypatch.setattr(boot_stages, "count_boot", guests.count)
    monkeypatch.setattr(boot_stages, "guest_slot", guests.slot)
    return guests


def own_variant(**changed: object) -> Variant:
    """A variant whose guests need no probe of KVM."""
    values = {"variant": "own", "method": "ostree", "recipe": "own", "agent": "min-cloud-agent", "accelerator": "tcg"}
    return variant_from({**values, **changed})


def own_image(directory: Path, key: str = "image-1") -> Image:
    """An image that nobody reads."""
    return Image(key, directory, 4096, 2048, 1024, 9.0, False)
