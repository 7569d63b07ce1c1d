"""The figures that a comparison is made of: where each comes from, its unit, why it may be missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from atomic_lib.guest.boot_record import Boot
from atomic_lib.results.analysis.boot_groups import (
    MILESTONE_FIELDS,
    MILESTONES,
    BootGroup,
    boot_groups,
    excluded_boots,
    measured_boots,
    median_of,
    milestone_seconds,
    most_common_group,
)
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

Unit = Literal["bytes", "count", "seconds", "counted"]
"""The unit of a figure. ``counted``: counted seconds, which are not wall-clock seconds."""


_REACHED = ("docker-ready", "ssh-login")
"""The milestones of a boot that are figures, the one that matters most first."""


@dataclass(frozen=True)
class Criterion:
    """A figure by which decisions and factors are compared; ``value`` is None if it was not measured."""

    title: str
    unit: Unit
    value: Callable[[VariantResult], float | None]


@dataclass(frozen=True)
class Metric:
    """One figure of a variant: the median of its ``samples``; ``reason`` says why there is none.

    ``group`` and ``milestone``: for a median over boots, of which kind and of which milestone.
    """

    name: str
    title: str
    unit: Unit
    samples: Callable[[VariantResult], Sequence[float | None]]
    reason: Callable[[VariantResult], str]
    group: BootGroup | None = None
    milestone: str = ""

    def value(self, result: VariantResult) -> float | None:
        """The figure of a variant; None if it was not measured."""
        return median_of(self.samples(result))

    def n(self, result: VariantResult) -> int:
        """How many samples the figure is the median of; 0 if it was not measured."""
        return sum(sample is not None for sample in self.samples(result))


def counted_busy_seconds(result: VariantResult) -> float | None:
    """The median busy time of the counted boots, in counted seconds; not comparable with wall-clock seconds."""
    return median_of(boot.busy_seconds for boot in result.counted_boots)


def missing_reason(result: VariantResult, otherwise: str = "not measured") -> str:
    """Why a figure of the build is missing; ``otherwise``: unless a stage failed."""
    return f"failed: {result.error.stage}" if result.error else otherwise


def missing_boot_reason(result: VariantResult, group: BootGroup | None = None) -> str:
    """Why a figure of a boot is missing."""
    boots = group.boots_of(result) if group else measured_boots(result.boots)
    if not boots and result.error:
        return f"failed: {result.error.stage}"
    if not boots and result.status == "incomplete":
        return "boots still to be made"
    if not boots and result.boots and group is None:
        return "no boot passed its proof of life" if excluded_boots(result) else "warm-up boots only"
    if not boots and group and any(group.has(boot) for boot in excluded_boots(result)):
        return "no boot passed its proof of life"
    if not boots:
        return f"not booted by {group.firmware.upper()}" if group else "not booted"
    return "not reached"


def metrics(study: StudyResult) -> tuple[Metric, ...]:
    """The figures of a study in the order of its table: footprint, then boots by kind, then the running guest."""
    groups = boot_groups(study.variants)
    return (
        *FOOTPRINT,
        *_forbidden(study.variants),
        *(m for group in groups for m in _boot_metrics(group)),
        *guest_metrics(study.variants),
    )


def overview_metrics(study: StudyResult) -> tuple[Metric, ...]:
    """The figures that decide: compressed image, tree, packages, and one of the boot; only those that were measured.

    The boot is the counted one, else the wall-clock time to Docker or, without Docker, to the login.
    """
    boots = [COUNTED, *(_boot_metric(group, name) for group in boot_groups(study.variants) for name in _REACHED)]
    booted = [metric for metric in boots if _measured(metric, study)][:1]
    sizes = (replace(_IMAGE, title="compressed image"), _TREE, _PACKAGES)
    return (*(metric for metric in sizes if _measured(metric, study)), *booted)


def _measured(metric: Metric, study: StudyResult) -> bool:
    return any(metric.value(result) is not None for result in study.variants)


def unclocked_metrics(results: Sequence[VariantResult]) -> tuple[Metric, ...]:
    """All figures but wall-clock times: those that keep their meaning in another session.

    The name of a counted boot's figure includes how it was counted, so that only like is compared with like.
    """
    ways = sorted({(boot.shift, boot.qemu_version or "") for result in results for boot in result.counted_boots})
    return (*FOOTPRINT, *_forbidden(results), *guest_metrics(results), *(_counted(*way) for way in ways))


def _counted(shift: int, qemu_version: str) -> Metric:
    def samples(result: VariantResult) -> Sequence[float | None]:
        same = all((boot.shift, boot.qemu_version or "") == (shift, qemu_version) for boot in result.counted_boots)
        return _busy_seconds(result) if same else ()

    return replace(COUNTED, name=f"{COUNTED.name}:{shift}:{qemu_version}", samples=samples)


def _busy_seconds(result: VariantResult) -> list[float]:
    return [boot.busy_seconds for boot in result.counted_boots]


COUNTED = Metric("counted_busy_seconds", "boot (counted)", "counted", _busy_seconds, missing_reason)


def _stored(name: str, title: str, unit: Unit) -> Metric:
    return Metric(name, title, unit, lambda result: (getattr(result, name),), missing_reason)


_TREE = _stored("tree_bytes", "tree", "bytes")
_PACKAGES = _stored("package_count", "packages", "count")
_IMAGE = _stored("image_compressed_bytes", "image, compressed qcow2", "bytes")
FOOTPRINT = (
    _TREE,
    _stored("tree_files", "files in the tree", "count"),
    _PACKAGES,
    _stored("download_bytes", "download (RPMs)", "bytes"),
    _IMAGE,
    _stored("image_allocated_bytes", "image, allocated", "bytes"),
    _stored("image_virtual_bytes", "image, virtual", "bytes"),
)
"""The figures of tree and image, which are exact."""


def guest_metrics(results: Sequence[VariantResult]) -> tuple[Metric, ...]:
    """What a guest runs once its boot is done, in boots of the kind that most of the variants have."""
    group = most_common_group(results)
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
    def samples(result: VariantResult) -> Sequence[float | None]:
        return [figure(boot) for boot in group.boots_of(result)] if group else ()

    def reason(result: VariantResult) -> str:
        # what a guest told of itself was either not asked, or there was no guest
        return "not measured" if group and group.boots_of(result) else missing_boot_reason(result, group)

    return Metric(name, f"{title} ({group})" if group else title, unit, samples, reason)


def denial_count(boot: Boot) -> int | None:
    """How often SELinux denied something in a boot, lost messages included; None: not measured."""
    if boot.denials is None:
        return None
    return sum(denial.count for denial in boot.denials) + (boot.denials_lost or 0)


def _count(found: Sequence[object] | None) -> int | None:
    return None if found is None else len(found)


def _boot_metrics(group: BootGroup) -> tuple[Metric, ...]:
    return tuple(_boot_metric(group, milestone) for milestone in reversed(_REACHED))


def _boot_metric(group: BootGroup, milestone: str) -> Metric:
    return Metric(
        f"{MILESTONE_FIELDS[milestone]}:{group.firmware}:{group.accelerator}",
        f"to {MILESTONES[milestone]} ({group})",
        "seconds",
        lambda result: [milestone_seconds(boot, milestone) for boot in group.boots_of(result)],
        lambda result: missing_boot_reason(result, group),
        group,
        milestone,
    )


def _forbidden(results: Sequence[VariantResult]) -> tuple[Metric, ...]:
    def metric(kind: str) -> Metric:
        return Metric(
            f"forbidden:{kind}", f"files of {kind}", "count", lambda r: (r.forbidden_paths.get(kind),), missing_reason
        )

    kinds = dict.fromkeys(kind for result in results for kind in result.forbidden_paths)
    return tuple(metric(kind) for kind in kinds)
