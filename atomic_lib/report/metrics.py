"""The figures that a comparison is made of: where each comes from, its unit, why it may be missing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from atomic_lib.measure.statistics import Summary, summarize
from atomic_lib.report.model import Accelerator, Boot, Firmware, StudyResult, VariantResult
from atomic_lib.report.values import Unit


@dataclass(frozen=True, order=True)
class BootGroup:
    """Boots that may be compared: the same firmware and the same accelerator."""

    firmware: Firmware
    accelerator: Accelerator

    def __str__(self) -> str:
        return f"{self.firmware.upper()}, {self.accelerator.upper()}"

    def boots_of(self, result: VariantResult) -> tuple[Boot, ...]:
        """The boots of ``result`` that belong here; a warm-up is none of them."""
        return tuple(boot for boot in counted_in(result.boots) if self.has(boot))

    def has(self, boot: Boot) -> bool:
        """Whether ``boot`` is of this kind."""
        return (boot.firmware, boot.accelerator) == (self.firmware, self.accelerator)


@dataclass(frozen=True)
class Metric:
    """One figure of a variant: ``value`` is None where it was not measured, and ``reason`` says why.

    ``group`` and ``mark``: for a median over boots, of which kind and of which milestone.
    """

    name: str
    title: str
    unit: Unit
    value: Callable[[VariantResult], float | None]
    reason: Callable[[VariantResult], str]
    group: BootGroup | None = None
    mark: str = ""


def boot_groups(results: Iterable[VariantResult]) -> tuple[BootGroup, ...]:
    """All kinds of boots that there are, BIOS before UEFI."""
    return tuple(sorted({BootGroup(b.firmware, b.accelerator) for r in results for b in counted_in(r.boots)}))


def counted_in(boots: Iterable[Boot]) -> tuple[Boot, ...]:
    """The boots that count in statistics: all but the warm-ups."""
    return tuple(boot for boot in boots if not boot.warm_up)


def usual_group(results: Sequence[VariantResult]) -> BootGroup | None:
    """The kind of boot that most variants have; None where nothing was booted."""
    groups = boot_groups(results)
    return max(groups, key=lambda group: sum(bool(group.boots_of(result)) for result in results), default=None)


PHASES = (
    ("firmware_loader_seconds", "firmware and boot loader"),
    ("kernel_seconds", "kernel"),
    ("initrd_seconds", "initrd"),
    ("userspace_seconds", "userspace"),
)
"""The phases of a boot one after another, with their titles."""
MARKS = {
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
_FIELDS_OF_MARKS = {
    "ssh-login": "ssh_login_seconds",
    "provisioned": "script_done_seconds",
    "multi-user": "multi_user_seconds",
    "docker-ready": "docker_ready_seconds",
}


def mark_seconds(boot: Boot, name: str) -> float | None:
    """When a boot reached a milestone, in seconds after the start of QEMU; None where it was not seen."""
    found = next((mark.seconds for mark in boot.marks if mark.name == name), None)
    field = _FIELDS_OF_MARKS.get(name)
    if found is not None or field is None:
        return found
    value: float | None = getattr(boot, field)
    return value


def counted_busy_seconds(result: VariantResult) -> float | None:
    """The median busy time of the counted boots, in counted seconds; never to be set beside wall seconds."""
    return median_of(boot.busy_seconds for boot in result.counted_boots)


def median_of(values: Iterable[float | None]) -> float | None:
    """The median of the values that were measured."""
    measured = [value for value in values if value is not None]
    return median(measured) if measured else None


def spread_of(values: Iterable[float | None]) -> Summary | None:
    """Median and interval of the values that were measured; None where none was."""
    return summarize(value for value in values if value is not None)


def missing_reason(result: VariantResult) -> str:
    """Why a figure of the build is not there."""
    return f"failed: {result.error.stage}" if result.error else "not measured"


def missing_boot_reason(result: VariantResult, group: BootGroup | None = None) -> str:
    """Why a figure of a boot is not there."""
    boots = group.boots_of(result) if group else counted_in(result.boots)
    if not boots and result.error:
        return f"failed: {result.error.stage}"
    if not boots and result.status == "incomplete":
        return "boots still to be made"
    if not boots and result.boots and group is None:
        return "warm-up boots only"
    if not boots:
        return f"not booted by {group.firmware.upper()}" if group else "not booted"
    return "not reached"


def metrics(study: StudyResult) -> tuple[Metric, ...]:
    """The figures of a study in the order of its table: footprint, then boots by kind, then the running guest."""
    groups = boot_groups(study.variants)
    counted = (_COUNTED,) if any(result.counted_boots for result in study.variants) else ()
    return (
        *_FOOTPRINT,
        *_forbidden(study),
        *(m for group in groups for m in _boot_metrics(group)),
        *counted,
        *GUEST_METRICS,
    )


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


_COUNTED = Metric(
    "busy_seconds",
    "boot, busy time (counted)",
    "counted",
    counted_busy_seconds,
    lambda result: f"failed: {result.error.stage}" if result.error else "not measured",
)


def _guest(name: str, title: str, unit: Unit, count: Callable[[Boot], float | None] | None = None) -> Metric:
    def value(result: VariantResult) -> float | None:
        return median_of((count or _field(name))(boot) for boot in counted_in(result.boots))

    return Metric(name, title, unit, value, _guest_reason)


def _field(name: str) -> Callable[[Boot], float | None]:
    return lambda boot: getattr(boot, name)


def _guest_reason(result: VariantResult) -> str:
    """What a running guest told of itself was either not asked, or there was no guest."""
    return "not measured" if counted_in(result.boots) else missing_boot_reason(result)


GUEST_METRICS = (
    _guest("memory_used_bytes", "memory in use after boot", "bytes"),
    _guest("process_count", "user processes after boot", "count"),
    _guest("service_count", "services after boot", "count"),
    _guest("listeners", "listening sockets", "count", lambda b: None if b.listeners is None else len(b.listeners)),
    _guest("setuid_files", "set-uid files", "count", lambda b: None if b.setuid_files is None else len(b.setuid_files)),
)
"""What a guest runs once its boot is done."""


def _boot_metrics(group: BootGroup) -> tuple[Metric, ...]:
    def metric(mark: str) -> Metric:
        return Metric(
            f"{_FIELDS_OF_MARKS[mark]}:{group.firmware}:{group.accelerator}",
            f"to {MARKS[mark]} ({group})",
            "seconds",
            lambda result: median_of(mark_seconds(boot, mark) for boot in group.boots_of(result)),
            lambda result: missing_boot_reason(result, group),
            group,
            mark,
        )

    return (metric("ssh-login"), metric("docker-ready"))


def _forbidden(study: StudyResult) -> tuple[Metric, ...]:
    def metric(kind: str) -> Metric:
        return Metric(
            f"forbidden:{kind}", f"files of {kind}", "count", lambda r: r.forbidden_paths.get(kind), missing_reason
        )

    kinds = dict.fromkeys(kind for result in study.variants for kind in result.forbidden_paths)
    return tuple(metric(kind) for kind in kinds)
