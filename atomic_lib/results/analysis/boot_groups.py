"""Boots that may be compared: kinds of boots, which boots count in statistics, phases and milestones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from atomic_lib.base.model import Accelerator, Firmware
from atomic_lib.guest.boot_record import Boot
from atomic_lib.measure.rank_statistics import Summary, summarize
from atomic_lib.results.variant_result import VariantResult

PHASES = (
    ("firmware_loader_seconds", "firmware and boot loader"),
    ("kernel_seconds", "kernel"),
    ("initrd_seconds", "initrd"),
    ("userspace_seconds", "userspace"),
)
"""The phases of a boot one after another, with their titles."""
MILESTONES = {
    "kernel": "kernel starts",
    "initrd": "initrd starts",
    "userspace": "userspace starts",
    "ssh-banner": "ssh answers",
    "ssh-login": "ssh login",
    "provisioned": "provisioned",
    "multi-user": "multi-user",
    "docker-ready": "Docker ready",
    "container-exited": "first container exited",
}
"""The milestones of a boot in their usual order, with their titles."""
MILESTONE_FIELDS = {
    "ssh-login": "ssh_login_seconds",
    "provisioned": "script_done_seconds",
    "multi-user": "multi_user_seconds",
    "docker-ready": "docker_ready_seconds",
}
"""The fields of ``Boot`` that hold a milestone too."""


@dataclass(frozen=True, order=True)
class BootGroup:
    """Boots that may be compared: the same firmware and the same accelerator."""

    firmware: Firmware
    accelerator: Accelerator

    def __str__(self) -> str:
        return f"{self.firmware.upper()}, {self.accelerator.upper()}"

    def boots_of(self, result: VariantResult) -> tuple[Boot, ...]:
        """The boots of ``result`` that belong here and count in statistics."""
        return tuple(boot for boot in measured_boots(result.boots) if self.has(boot))

    def has(self, boot: Boot) -> bool:
        """Whether ``boot`` is of this kind."""
        return (boot.firmware, boot.accelerator) == (self.firmware, self.accelerator)


def boot_groups(results: Iterable[VariantResult]) -> tuple[BootGroup, ...]:
    """All kinds of boots in the results, BIOS before UEFI."""
    return tuple(sorted({BootGroup(b.firmware, b.accelerator) for r in results for b in measured_boots(r.boots)}))


def most_common_group(results: Sequence[VariantResult]) -> BootGroup | None:
    """The kind of boot that most variants have; None if nothing was booted."""
    groups = boot_groups(results)
    return max(groups, key=lambda group: sum(bool(group.boots_of(result)) for result in results), default=None)


def measured_boots(boots: Iterable[Boot]) -> tuple[Boot, ...]:
    """The boots that count in statistics: no warm-up boots, and none that failed a check."""
    return tuple(boot for boot in boots if not boot.warm_up and _passed(boot))


def excluded_boots(result: VariantResult) -> tuple[Boot, ...]:
    """The boots that count in no median because one of their checks failed."""
    return tuple(boot for boot in result.boots if not boot.warm_up and not _passed(boot))


def milestone_seconds(boot: Boot, name: str) -> float | None:
    """When a boot reached a milestone, in seconds after the start of QEMU; None if it was not seen."""
    found = next((mark.seconds for mark in boot.milestones if mark.name == name), None)
    field = MILESTONE_FIELDS.get(name)
    if found is not None or field is None:
        return found
    value: float | None = getattr(boot, field)
    return value


def median_of(values: Iterable[float | None]) -> float | None:
    """The median of the values that were measured."""
    measured = [value for value in values if value is not None]
    return median(measured) if measured else None


def summary_of(values: Iterable[float | None]) -> Summary | None:
    """Median and interval of the values that were measured; None if none was."""
    return summarize(value for value in values if value is not None)


def _passed(boot: Boot) -> bool:
    return all(check.passed for check in boot.checks)
