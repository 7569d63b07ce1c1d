"""Version 1 of an update: the variant as it is, with the kernel before the newest, or with the packages of a lock."""

from dataclasses import dataclass, replace

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.demand import Demand
from atomic_lib.params.variant import variant_from
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.update.version_changes import KERNEL, VersionChanges

KERNEL_PACKAGE = "kernel-core"
"""The package of the kernel."""


@dataclass(frozen=True)
class OlderKernelBuild(Build):
    """A build with the kernel before the newest that the content has."""

    @property
    def demand(self) -> Demand:
        """What the recipe asks of its content, with the older kernel."""
        return replace(super().demand, older=(KERNEL_PACKAGE,))


def first_build(build: Build, changes: VersionChanges) -> Build:
    """The build of version 1; ``build``: that of the variant as it is.

    Raises WorkbookError if the variant has a lock, which decides what its kernel is.
    """
    variant = build.variant
    if changes.first_lock:
        return Build(variant_from({**variant.model_dump(), "lock": changes.first_lock}), build.context)
    if not changes.older_kernel:
        return build
    if variant.lock:
        raise WorkbookError(
            f"{KERNEL}: {variant.variant} has the kernel of {variant.lock}",
            hint="leave the variant's lock empty, or name the locks of both versions: from:FILE lock:FILE",
        )
    return OlderKernelBuild(variant, build.context)


def require_difference(before: Build, after: Build) -> None:
    """Raise WorkbookError if both versions have the same packages and parts, or the same kernel and need another."""
    name = before.variant.variant
    same = before.rpm_set.lock.sha256 == after.rpm_set.lock.sha256
    if same and before.variant.parts == after.variant.parts:
        raise WorkbookError(f"{name}: version 2 has the same packages as version 1", hint="name another change")
    if isinstance(before, OlderKernelBuild) and before.tree.kver == after.tree.kver:
        raise WorkbookError(
            f"{KERNEL}: {name}: version 2 has the same kernel as version 1, {before.tree.kver}",
            hint="the recipe or the lock of version 2 names a kernel: leave it out, or leave out this change",
        )
