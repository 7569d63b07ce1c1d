"""The update of a variant from version 1 to a version 2 that differs in what a treefile adds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.tree import default_ref
from atomic_lib.compose.update.object_estimate import PackageFiles, estimate_loose
from atomic_lib.compose.update.rpm_prediction import new_packages
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest.chunks.chunk_update import ChunkUpdate, chunk_update
from atomic_lib.guest.layers.layer_update import LayerUpdate, LayerVersions, layer_update
from atomic_lib.guest.update.guest_update import GuestUpdateRequest, update_guest
from atomic_lib.guest.update.update_downloads import (
    UpdateDownloads,
    UpdateVersions,
    update_downloads,
    update_repository,
)
from atomic_lib.guest.update.update_evidence import GuestState, GuestUpdate, etc_outcomes
from atomic_lib.guest.update.update_ways import UpdateWay
from atomic_lib.params.variant import Variant, load_variant, variant_from
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.pipeline.failures import require_none
from atomic_lib.pipeline.layers.built_image import image_of
from atomic_lib.pipeline.update.first_version import first_build, require_difference
from atomic_lib.pipeline.update.version_changes import PART, named_changes
from atomic_lib.report.elements.blocks import Paragraph
from atomic_lib.report.elements.values import plural

_VERSION_2 = "2"


@dataclass(frozen=True)
class VariantUpdate:
    """The builds of both versions, and the stages of the update. The first access to a stage makes it.

    Both have the same source date, so that nothing else changes than what is asked for.
    """

    before: Build
    after: Build

    @cached_property
    def versions(self) -> UpdateVersions:
        """The commits of both. Raises WorkbookError as ``require_difference`` does."""
        require_difference(self.before, self.after)
        return UpdateVersions(self.before.variant.variant, version_of(self.before), version_of(self.after))

    @cached_property
    def downloads(self) -> UpdateDownloads:
        """What the update costs to download."""
        return update_downloads(self.versions, self.before.context)

    @property
    def ways(self) -> tuple[UpdateWay, ...]:
        """What each way costs to download, where it was taken."""
        steps = {step.name: step.download for step in self.guest.steps}
        taken = {"check": steps["check"], "loose objects": steps["download"]}
        estimates = {"loose objects": self.estimated_bytes}
        objects = (
            UpdateWay(one.way, one.predicted, one.measured, taken.get(one.way), estimates.get(one.way), one.same_files)
            for one in self.downloads.ways
        )
        return (*objects, self.chunks.way, *self.layers.ways)

    @cached_property
    def chunks(self) -> ChunkUpdate:
        """What the update costs by casync."""
        return chunk_update(self.versions, self.before.context)

    @cached_property
    def layers(self) -> LayerUpdate:
        """What the update costs as container images in layers by package."""
        before = image_of(self.before)
        return layer_update(LayerVersions(before, image_of(self.after, before)), self.before.context)

    @cached_property
    def estimated_bytes(self) -> int:
        """The loose objects, estimated from both locks and the commit of version 1."""
        before, after = self.before.rpm_set, self.after.rpm_set
        new = new_packages(before.lock, after.lock)
        names = {package.name for package in new}
        replaced = (package for package in before.lock.packages if package.name in names)
        recipe, context = self.before.recipe, self.before.context
        files = PackageFiles(
            tuple(after.directory / package.file_name for package in new),
            tuple(before.directory / package.file_name for package in replaced),
            documentation=recipe.documentation,
            languages=recipe.languages,
        )
        repository = update_repository(self.versions, context)
        with context.store.scratch("estimate") as scratch:
            return estimate_loose(context.tools, repository, self.versions.before.commit, files, scratch)

    @property
    def expected(self) -> tuple[str, str, str, str]:
        """What the guest must be known by in version 1, when version 2 is there, in version 2, and in version 1."""
        before, after = self.versions.identities
        return before, before, after, before

    @property
    def kernels(self) -> tuple[str, str, str, str]:
        """The kernel that must run at these moments (``uname -r``)."""
        before, after = self.before.tree.kver, self.after.tree.kver
        return before, before, after, before

    @cached_property
    def guest(self) -> GuestUpdate:
        """What a guest showed that was updated and rolled back."""
        build, repository = self.before, update_repository(self.versions, self.before.context)
        request = GuestUpdateRequest(build.variant, build.recipe.selinux, build.image, self.versions, repository)
        return update_guest(request, build.context)


def open_update(variant: str | Variant, changes: str) -> VariantUpdate:
    """The update of a variant, by its name in ``params/variants``; ``changes``: as ``named_changes`` reads them.

    Raises WorkbookError as that does, for a variant that has no commits of a treefile, and as ``open_build``
    does.
    """
    named = named_changes(changes)
    first = load_variant(variant) if isinstance(variant, str) else variant
    update = update_between(first, [f"{PART}{name}" for name in named.parts], lock=named.lock)
    return VariantUpdate(first_build(update.before, named), update.after)


def update_between(first: Variant, parts: Sequence[str], *, lock: str = "") -> VariantUpdate:
    """The update of a variant to a version 2 with more parts; ``lock``: a lock file that names its packages instead.

    Raises WorkbookError for a variant that has no commits of a treefile, and as ``open_build`` does.
    """
    before = open_build(first)
    if first.method != "ostree" or before.whole_recipe.ostree_source:
        raise WorkbookError(
            f"{first.variant}: only the commit of a treefile is updated here", hint="name an ostree variant: atomic-min"
        )
    all_parts = " ".join([*first.parts.split(), *parts])
    second = variant_from({**first.model_dump(), "parts": all_parts, "lock": lock or first.lock, "version": _VERSION_2})
    return VariantUpdate(before, Build(second, before.context))


def require_atomic(update: VariantUpdate) -> Paragraph:
    """The verdict as a sentence.

    Raises WorkbookError naming what was not as predicted, or not as an atomic update leaves it.
    """
    problems = (*_download_problems(update), *_guest_problems(update))
    name = update.versions.name
    require_none(problems, f"{name}: not an atomic update as predicted")
    loose = update.downloads.way("loose objects").measured
    return Paragraph(
        f"{name}: version 2 was {loose.bytes:,} bytes in {plural(loose.requests, 'request')}, as predicted to the "
        "byte; the guest ran it, and version 1 again after the rollback."
    )


def _download_problems(update: VariantUpdate) -> Iterator[str]:
    ways = update.downloads.ways
    yield from (f"{one.way}: other files over loopback than predicted" for one in ways if not one.same_files)
    pulled = {"casync chunks": update.chunks.same_files, "OCI layers": update.layers.same_files}
    yield from (f"{name}: other files over loopback than predicted" for name, same in pulled.items() if not same)
    steps = {step.name: step.download for step in update.guest.steps}
    for found, way in ((steps["check"], "check"), (steps["download"], "loose objects")):
        predicted = next(one.predicted for one in ways if one.way == way)
        if found != predicted:
            yield f"{way}: {found.bytes} bytes in the guest, {predicted.bytes} predicted"


def _guest_problems(update: VariantUpdate) -> Iterator[str]:
    guest, versions = update.guest, update.versions
    moments = (
        ("version 1", guest.states[0], versions.before),
        ("version 2 deployed", guest.deployed, versions.before),
        ("version 2", guest.states[1], versions.after),
        ("version 1 after the rollback", guest.states[2], versions.before),
    )
    for (moment, state, version), kernel in zip(moments, update.kernels, strict=True):
        yield from (f"{moment}: {problem}" for problem in state_problems(update, state, version))
        if state.kernel != kernel:
            yield f"{moment}: kernel {state.kernel or 'unknown'} is booted, not {kernel}"
    yield from (f"/etc/{one.name}: {one.kept}" for one in etc_outcomes(guest) if not one.expected)


def state_problems(update: VariantUpdate, state: GuestState, version: Version) -> Iterator[str]:
    """What of a guest that should run ``version`` is not as it must be in every version."""
    selinux = update.before.recipe.selinux
    facts = {
        "another commit is booted": state.commit == version.commit,
        f"SELinux is not {selinux}": state.selinux == selinux,
        "/usr is not read-only": state.usr_read_only,
        "/var was not kept": state.var_kept,
        "the container does not run": state.container_running is not False,
        "the volume was not kept": state.volume_kept is not False,
    }
    yield from (problem for problem, holds in facts.items() if not holds)


def version_of(build: Build) -> Version:
    """The commit of a build."""
    return Version(build.tree.repo, default_ref(build.variant, build.recipe), str(build.tree.commit))
