"""Boots without a guest: what stands in for QEMU in the stages that boot an image."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest import boot_stages
from atomic_lib.guest.counted.counted_boot import CountedBoot, CountRequest
from atomic_lib.guest.timed_boot import BootRequest
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import Variant, variant_from


@dataclass
class Guests:
    """The boots that were made. ``checks``: what each proves from now on; ``unreachable``: whether none answers."""

    checks: dict[str, bool] = field(default_factory=lambda: {"system is running": True})
    unreachable: bool = False
    timed: list[BootRequest] = field(default_factory=list)
    counted: list[CountRequest] = field(default_factory=list)

    def boot(self, _: object, __: Path, ___: str, request: BootRequest, directory: Path) -> Any:
        """In place of ``boot_image``."""
        self.timed.append(request)
        self._leave_console(directory)
        checks = [{"name": name, "passed": passed, "detail": "as told"} for name, passed in self.checks.items()]
        (directory / "boot.json").write_text(json.dumps({**BOOT, "index": request.index,
                                                         "firmware": request.firmware, "checks": checks}))  # fmt: skip
        return SimpleNamespace(findings=SimpleNamespace(checks=[SimpleNamespace(**check) for check in checks]))

    def count(self, _: object, __: Image, request: CountRequest, directory: Path) -> CountedBoot:
        """In place of ``count_boot``."""
        self.counted.append(request)
        self._leave_console(directory)
        return CountedBoot(
            busy_seconds=1.0, kernel_seconds=1.0, apparatus_seconds=0.1, milestones={}, units=(), failed_units=(),
            masked_units=(), changed_units=(), shift=1, seed=request.seed, qemu_version="1",
        )  # fmt: skip

    def _leave_console(self, directory: Path) -> None:
        (directory / "console.log").write_text("the end of the console\n")
        if self.unreachable:
            raise WorkbookError("no ssh login within 600 s", hint=f"read {directory / 'console.log'}")


BOOT: Mapping[str, object] = {
    "accelerator": "tcg", "cpus": 2, "memory_mib": 2048, "ssh_login_seconds": 51.25, "clock_error_seconds": 0.1,
    "timeout_seconds": 600, "phases": {"kernel_seconds": 6.5}, "units": [],
}  # fmt: skip


def install_guests(monkeypatch: pytest.MonkeyPatch) -> Guests:
    """Have the stages make their boots here."""
    guests = Guests()
    monkeypatch.setattr(boot_stages, "boot_image", guests.boot)
    monkeypatch.setattr(boot_stages, "count_boot", guests.count)
    return guests


def own_variant(**changed: object) -> Variant:
    """A variant whose guests need no probe of KVM."""
    values = {"variant": "own", "method": "ostree", "recipe": "own", "agent": "min-cloud-agent", "accelerator": "tcg"}
    return variant_from({**values, **changed})


def own_image(directory: Path, key: str = "image-1") -> Image:
    """An image that nobody reads."""
    return Image(key, directory, 4096, 2048, 1024, 9.0, False)
