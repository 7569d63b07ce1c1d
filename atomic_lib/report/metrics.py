"""The figures that a comparison is made of: where each comes from, its unit, why it may be missing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from atomic_lib.report.model import Accelerator, Boot, Firmware, StudyResult, VariantResult
from atomic_lib.report.show import Unit


@dataclass(frozen=True, order=True)
class BootGroup:
    """Boots that may be compared: the same firmware and the same accelerator."""

    firmware: Firmware
    accelerator: Accelerator

    def __str__(self) -> str:
        return f"{self.firmware.upper()}, {self.accelerator.upper()}"

    def boots_of(self, result: VariantResult) -> tuple[Boot, ...]:
        """The boots of ``result`` that belong here."""
        return tuple(
            boot for boot in result.boots if (boot.firmware, boot.accelerator) == (self.firmware, self.accelerator)
        )


@dataclass(frozen=True)
class Metric:
    """One figure of a variant: ``value`` is None where it was not measured, and ``reason`` says why."""

    name: str
    title: str
    unit: Unit
    value: Callable[[VariantResult], float | None]
    reason: Callable[[VariantResult], str]


def boot_groups(results: Iterable[VariantResult]) -> tuple[BootGroup, ...]:
    """All kinds of boots that there are, BIOS before UEFI."""
    return tuple(sorted({BootGroup(boot.firmware, boot.accelerator) for r in results for boot in r.boots}))


def median_of(values: Iterable[float | None]) -> float | None:
    """The median of the values that were measured."""
    measured = [value for value in values if value is not None]
    return median(measured) if measured else None


def missing_reason(result: VariantResult) -> str:
    """Why a figure of the build is not there."""
    return f"failed: {result.error.stage}" if result.error else "not measured"


def missing_boot_reason(result: VariantResult, group: BootGroup | None = None) -> str:
    """Why a figure of a boot is not there."""
    boots = group.boots_of(result) if group else result.boots
    if not boots and result.error:
        return f"failed: {result.error.stage}"
    if not boots and result.status == "incomplete":
        return "boots still to be made"
    if not boots:
        return f"not booted by {group.firmware.upper()}" if group else "not booted"
    return "not reached"


def metrics(study: StudyResult) -> tuple[Metric, ...]:
    """The figures of a study in the order of its table: footprint, then boots by kind, then the running guest."""
    groups = boot_groups(study.variants)
    return (*_FOOTPRINT, *_forbidden(study), *(m for group in groups for m in _boot_metrics(group)), *_GUEST)


def _stored(name: str, title: str, unit: Unit) -> Metric:
    return Metric(name, title, unit, lambda result: getattr(result, name), missing_reason)


_FOOTPRINT = (
    _stored("tree_bytes", "tree", "bytes"),
    _stored("tree_files", "files in the tree", "count"),
    _stored("package_count", "packages", "count"),
    _stored("download_bytes", "download (RPMs)", "bytes"),
    _stored("image_compressed_bytes", "image, compressed qcow2", "bytes"),
    _stored("image_allocated_bytes", "image, allocated", "bytes"),
    _stored("image_virtual_bytes", "image, virtual", "bytes"),
)


def _guest(name: str, title: str, unit: Unit) -> Metric:
    def value(result: VariantResult) -> float | None:
        return median_of(getattr(boot, name) for boot in result.boots)

    return Metric(name, title, unit, value, missing_boot_reason)


_GUEST = (
    _guest("memory_used_bytes", "memory in use after boot", "bytes"),
    _guest("process_count", "processes after boot", "count"),
)


def _boot_metrics(group: BootGroup) -> tuple[Metric, ...]:
    def metric(name: str, title: str) -> Metric:
        return Metric(
            f"{name}:{group.firmware}:{group.accelerator}",
            f"{title} ({group})",
            "seconds",
            lambda result: median_of(getattr(boot, name) for boot in group.boots_of(result)),
            lambda result: missing_boot_reason(result, group),
        )

    return (metric("ssh_login_seconds", "to ssh login"), metric("docker_ready_seconds", "to Docker ready"))


def _forbidden(study: StudyResult) -> tuple[Metric, ...]:
    def metric(kind: str) -> Metric:
        return Metric(
            f"forbidden:{kind}", f"files of {kind}", "count", lambda r: r.forbidden_paths.get(kind), missing_reason
        )

    kinds = dict.fromkeys(kind for result in study.variants for kind in result.forbidden_paths)
    return tuple(metric(kind) for kind in kinds)
