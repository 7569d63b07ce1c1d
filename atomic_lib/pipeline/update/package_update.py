"""The update of a traditional variant by dnf: from the packages of one lock to those of another, and back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.compose.update.rpm_prediction import new_packages, predict_index, predict_packages
from atomic_lib.compose.update.rpm_repository import RpmRepository, RpmSets, rpm_repository
from atomic_lib.content.rebuilt_rpms import Rebuild, rebuilt_rpms
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.guest.update.guest_update import GuestUpdateRequest, update_guest
from atomic_lib.guest.update.rpm_versions import RpmVersions
from atomic_lib.guest.update.update_evidence import GuestUpdate, figures_of
from atomic_lib.guest.update.update_ways import UpdateWay
from atomic_lib.params.variant import Variant, variant_from
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.failures import require_none
from atomic_lib.pipeline.update.first_version import KERNEL_PACKAGE, first_build
from atomic_lib.pipeline.update.version_changes import VersionChanges
from atomic_lib.recipe.load import load_recipe, read_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.report.elements.blocks import Paragraph
from atomic_lib.report.elements.values import plural

CONFIG = "config"
REBUILT_FILES = ("/etc/issue", "/etc/issue.net")
"""What ``config`` changes: those files of ``parts/update-config.yaml`` that are a package's configuration."""


@dataclass(frozen=True)
class ExtendedBuild(Build):
    """A build whose recipe has ``added`` packages more."""

    added: tuple[str, ...] = ()

    @cached_property
    def whole_recipe(self) -> Recipe:
        """The variant's recipe, with the packages added."""
        recipe = load_recipe(self.variant)
        return replace(recipe, packages=(*recipe.packages, *(one for one in self.added if one not in recipe.packages)))


@dataclass(frozen=True)
class PackageUpdate:
    """The build of version 1, and the stages of an update to version 2. The first access to a stage makes it.

    ``added``: the packages that version 2 names in addition. ``rebuilt``: files; it has new releases of the packages
    that have them, in which their first words are others. ``lock``: a lock file that names all its packages instead;
    "": those that the recipe resolves to now; None: as version 1.
    """

    before: Build
    added: tuple[str, ...]
    rebuilt: tuple[str, ...]
    lock: str | None = None

    @cached_property
    def after(self) -> Build:
        """The build of version 2; only its packages are needed for the update."""
        lock = self.before.variant.lock if self.lock is None else self.lock
        own: dict[str, object] = {"version": "2", "lock": lock}
        if self.rebuilt:
            directory = rebuilt_rpms(self._rebuilds(), self.before.context)
            own |= {"local_rpms": str(directory), "local_rpms_trusted": True}
        variant = variant_from({**self.before.variant.model_dump(), **own})
        return ExtendedBuild(variant, self.before.context, self.added)

    @cached_property
    def repository(self) -> RpmRepository:
        """What is served: the packages of both versions."""
        sets = RpmSets(self.before.variant.variant, self.before.rpm_set, self.after.rpm_set)
        return rpm_repository(sets, self.before.context)

    @cached_property
    def versions(self) -> RpmVersions:
        """The locks of both.

        Raises WorkbookError if version 1 has no dnf, or if version 2 has no package more, removes one, or has another
        kernel.
        """
        name, before, after = self.before.variant.variant, self.before.rpm_set.lock, self.after.rpm_set.lock
        names = {package.name for package in before.packages}
        if "dnf" not in names:
            raise WorkbookError(f"{name}: has no dnf that could update a guest", hint="name one with dnf: cloud-docker")
        if removed := names - {package.name for package in after.packages}:
            raise WorkbookError(f"{name}: version 2 would remove {', '.join(sorted(removed))}: not supported here")
        if KERNEL_PACKAGE in {package.name for package in new_packages(before, after)}:
            raise no_new_kernel(name)
        if not new_packages(before, after):
            raise WorkbookError(f"{name}: version 2 has the same packages as version 1", hint="name another change")
        weak = self.before.recipe.weak_dependencies
        return RpmVersions(name, before, after, self.repository.keys, weak_dependencies=weak)

    @cached_property
    def guest(self) -> GuestUpdate:
        """What a guest showed that was updated, and whose update was undone."""
        build = self.before
        request = GuestUpdateRequest(
            build.variant, build.recipe.selinux, build.image, self.versions, self.repository.served
        )
        return update_guest(request, build.context)

    @cached_property
    def ways(self) -> tuple[UpdateWay, ...]:
        """What each step downloads."""
        steps = {step.name: step.download for step in self.guest.steps}
        before, after = self.versions.before, self.versions.after
        forth, back = (figures_of(predict_packages(*pair)) for pair in ((before, after), (after, before)))
        return (
            UpdateWay("check", figures_of(predict_index(self.repository.served)), guest=steps["check"]),
            UpdateWay("RPM files", forth, guest=steps["download"], from_locks_bytes=forth.bytes),
            UpdateWay("RPM files to undo it", back, guest=steps["rollback"], from_locks_bytes=back.bytes),
        )

    @property
    def expected(self) -> tuple[str, str, str, str]:
        """What the guest must be known by in version 1, when version 2 is there, in version 2, and in version 1."""
        before, after = self.versions.identities
        return before, after, after, before

    @property
    def kernels(self) -> tuple[str, str, str, str]:
        """The kernel that must run at these moments (``uname -r``): it stays."""
        kver = self.before.tree.kver
        return kver, kver, kver, kver

    def _rebuilds(self) -> tuple[Rebuild, ...]:
        rpms = self.before.rpm_set
        headers = read_headers(self.before.context.tools, rpms.directory)
        owners = {name: [file for file in self.rebuilt if file in header.files] for name, header in headers.items()}
        return tuple(
            Rebuild(rpms.directory / package.file_name, tuple(owners[package.name]))
            for package in rpms.lock.packages
            if owners[package.name]
        )


def open_package_update(build: Build, changes: VersionChanges) -> PackageUpdate:
    """The update of a traditional variant; ``build``: that of the variant as it is.

    Raises WorkbookError for a change that packages do not bring, for a variant with RPMs of the user's own, and for
    rebuilt packages where either version is from a lock.
    """
    variant: Variant = build.variant
    if variant.local_rpms:
        raise WorkbookError(
            f"{variant.variant}: local_rpms: version 2 has RPMs of its own in their place", hint="leave it empty"
        )
    if changes.older_kernel:
        raise no_new_kernel(variant.variant)
    if changes.first_lock and CONFIG in changes.parts:
        raise WorkbookError(
            f"{CONFIG}: rebuilt packages of {changes.first_lock} may be older than those of version 2",
            hint=f"leave out {CONFIG} or from:{changes.first_lock}",
        )
    if changes.lock and CONFIG in changes.parts:
        raise WorkbookError(
            f"{CONFIG}: version 2 has the packages of {changes.lock}, so none can be rebuilt",
            hint=f"leave out {CONFIG} or lock:{changes.lock}",
        )
    added = [package for name in changes.parts if name != CONFIG for package in _packages_of(name)]
    rebuilt = REBUILT_FILES if CONFIG in changes.parts else ()
    return PackageUpdate(first_build(build, changes), tuple(added), rebuilt, changes.lock or variant.lock)


def no_new_kernel(name: str) -> WorkbookError:
    """What is said of a traditional variant whose version 2 would have another kernel."""
    return WorkbookError(
        f"{name}: version 2 has another kernel: stand-in content has no script that puts one into the boot menu",
        hint="another change, or an ostree variant: atomic-min",
    )


def _packages_of(change: str) -> tuple[str, ...]:
    """The packages that a change adds."""
    path = PARAMS_DIRECTORY / f"treefiles/parts/update-{change}.yaml"
    try:
        return read_recipe(path).packages
    except WorkbookError as error:
        raise WorkbookError(
            f"{change}: a traditional system gets packages only, and {path.name} is no list of packages",
            hint="package or config, or an ostree variant",
            log=str(error),
        ) from None


def require_packages(update: PackageUpdate) -> Paragraph:
    """The verdict as a sentence.

    Raises WorkbookError naming what was not as predicted, or not as the update must leave it.
    """
    name = update.versions.name
    require_none(_problems(update), f"{name}: not an update as predicted")
    files = next(one.predicted for one in update.ways if one.name == "RPM files")
    return Paragraph(
        f"{name}: version 2 was {files.bytes:,} bytes in {plural(files.requests, 'RPM file')}, as predicted "
        "from the two locks to the byte; the guest ran it, and version 1 again after the transaction was undone."
    )


def _problems(update: PackageUpdate) -> Iterator[str]:
    guest, selinux = update.guest, update.before.recipe.selinux
    for way in update.ways:
        if way.guest and way.guest != way.predicted:
            yield f"{way.name}: {way.guest.bytes} bytes in the guest, {way.predicted.bytes} predicted"
    moments = ("version 1", "version 2 installed", "version 2", "version 1 after the rollback")
    states = (guest.states[0], guest.deployed, *guest.states[1:])
    for moment, state, expected, kernel in zip(moments, states, update.expected, update.kernels, strict=True):
        facts = {
            f"kernel {state.kernel or 'unknown'} is booted, not {kernel}": state.kernel == kernel,
            "other packages are installed": update.versions.identity(state) == expected,
            f"SELinux is not {selinux}": state.selinux == selinux,
            "/var was not kept": state.var_kept,
            "the container does not run": state.container_running is not False,
            "the volume was not kept": state.volume_kept is not False,
        }
        yield from (f"{moment}: {problem}" for problem, holds in facts.items() if not holds)
