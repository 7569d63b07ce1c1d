"""The figures that a comparison is made of: where each comes from, its unit, why it may be missing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from atomic_lib.measure.statistics import Summary, summarize
from atomic_lib.results.values import Unit, plural
from atomic_lib.results.variant_result import Accelerator, Boot, Firmware, StudyResult, VariantResult


@dataclass(frozen=True, order=True)
class BootGroup:
    """Boots that may be compared: the same firmware and the same accelerator."""

    firmware: Firmware
    accelerator: Accelerator

    def __str__(self) -> str:
        return f"{self.firmware.upper()}, {self.accelerator.upper()}"

    def boots_of(self, result: VariantResult) -> tuple[Boot, ...]:
        """The boots of ``result`` that belong here and count in statistics."""
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
    """The boots that count in statistics: no warm-up, and none that failed a check, for it has measured nothing."""
    return tuple(boot for boot in boots if not boot.warm_up and _passed(boot))


def left_out(result: VariantResult) -> str:
    """How many boots are in no median because a check of them failed; nothing where there is none."""
    count = len(_failed(result))
    verb = "is" if count == 1 else "are"
    whose = "its" if count == 1 else "their"
    return f"{plural(count, 'boot')} failed {whose} proof of life and {verb} in no median" if count else ""


def left_out_notes(results: Iterable[VariantResult]) -> tuple[str, ...]:
    """One sentence for each variant of which boots are left out."""
    return tuple(f"{result.variant}: {told}." for result in results if (told := left_out(result)))


def _failed(result: VariantResult) -> tuple[Boot, ...]:
    return tuple(boot for boot in result.boots if not boot.warm_up and not _passed(boot))


def _passed(boot: Boot) -> bool:
    return all(check.passed for check in boot.checks)


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
    found = next((mark.seconds for mark in boot.milestones if mark.name == name), None)
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
        return "no boot passed its proof of life" if left_out(result) else "warm-up boots only"
    if not boots and group and any(group.has(boot) for boot in _failed(result)):
        return "no boot passed its proof of life"
    if not boots:
        return f"not booted by {group.firmware.upper()}" if group else "not booted"
    return "not reached"


def metrics(study: StudyResult) -> tuple[Metric, ...]:
    """The figures of a study in the order of its table: footprint, then boots by kind, then the running guest."""
    groups = boot_groups(study.variants)
    return (
        *_FOOTPRINT,
        *_forbidden(study.variants),
        *(m for group in groups for m in _boot_metrics(group)),
        *guest_metrics(study.variants),
    )


def unclocked_metrics(results: Sequence[VariantResult]) -> tuple[Metric, ...]:
    """All figures but wall-clock times: those that keep their meaning in another session.

    A counted boot's name has the way it was counted, so that only like is compared with like.
    """
    ways = sorted({(boot.shift, boot.qemu_version or "") for result in results for boot in result.counted_boots})
    return (*_FOOTPRINT, *_forbidden(results), *guest_metrics(results), *(_counted(*way) for way in ways))


def _counted(shift: int, qemu_version: str) -> Metric:
    def value(result: VariantResult) -> float | None:
        same = all((boot.shift, boot.qemu_version or "") == (shift, qemu_version) for boot in result.counted_boots)
        return counted_busy_seconds(result) if same else None

    name = f"counted_busy_seconds:{shift}:{qemu_version}"
    return Metric(name, "boot, busy time (counted)", "counted", value, missing_reason)


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


def guest_metrics(results: Sequence[VariantResult]) -> tuple[Metric, ...]:
    """What a guest runs once its boot is done, in boots of the kind that most of the variants have."""
    group = usual_group(results)
    return (
        _guest(group, "memory_used_bytes", "memory in use after boot", "bytes", lambda boot: boot.memory_used_bytes),
        _guest(group, "process_count", "user processes after boot", "count", lambda boot: boot.process_count),
        _guest(group, "service_count", "services after boot", "count", lambda boot: boot.service_count),
        _guest(group, "listeners", "listening sockets", "count", lambda boot: _count(boot.listeners)),
        _guest(group, "setuid_files", "set-uid files", "count", lambda boot: _count(boot.setuid_files)),
        _guest(group, "denials", "AVC denials at boot", "count", denial_count),
    )


def _guest(
    group: BootGroup | None, name: str, title: str, unit: Unit, figure: Callable[[Boot], float | None]
) -> Metric:
    def value(result: VariantResult) -> float | None:
        return median_of(figure(boot) for boot in group.boots_of(result)) if group else None

    def reason(result: VariantResult) -> str:
        # what a guest told of itself was either not asked, or there was no guest
        return "not measured" if group and group.boots_of(result) else missing_boot_reason(result, group)

    return Metric(name, f"{title} ({group})" if group else title, unit, value, reason)


def denial_count(boot: Boot) -> int | None:
    """How often SELinux denied something in a boot, messages that were lost included; None: not asked."""
    if boot.denials is None:
        return None
    return sum(denial.count for denial in boot.denials) + (boot.denials_lost or 0)


def _count(found: Sequence[object] | None) -> int | None:
    return None if found is None else len(found)


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


def _forbidden(results: Sequence[VariantResult]) -> tuple[Metric, ...]:
    def metric(kind: str) -> Metric:
        return Metric(
            f"forbidden:{kind}", f"files of {kind}", "count", lambda r: r.forbidden_paths.get(kind), missing_reason
        )

    kinds = dict.fromkeys(kind for result in results for kind in result.forbidden_paths)
    return tuple(metric(kind) for kind in kinds)
