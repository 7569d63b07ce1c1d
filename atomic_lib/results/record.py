"""The record of one variant while it is made: ``result.json``, valid after every stage, including a failed one."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from atomic_lib import __version__
from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import MANIFEST
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.scrub import scrubber
from atomic_lib.compose.attribute_exceptions import load_attribute_exceptions
from atomic_lib.compose.packaged_attributes import ChangedFile
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.ownership import Ownership, readable
from atomic_lib.content.definition import DebianContent, load_definition
from atomic_lib.guest.boot_record import Boot, StoredBoot
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.evidence.unit_times import packaged_path
from atomic_lib.image.disk import Image
from atomic_lib.image.oci.container_image import ContainerImage
from atomic_lib.measure.container.container_figures import ContainerFigures
from atomic_lib.measure.footprint import count_forbidden, measure_footprint
from atomic_lib.measure.guards.image_guards import Guard, with_open_ports
from atomic_lib.measure.image_footprint import ImageFootprint
from atomic_lib.measure.labels import Labels
from atomic_lib.params.variant import Variant, parameter_values
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.results.build_result import (
    DepartureSize,
    Release,
    WhyLink,
    class_sizes,
)
from atomic_lib.results.footprint_rows import directory_sizes, image_parts, package_sizes, unowned_sizes, with_image
from atomic_lib.results.result_files import RESULT_FILE, read_variant_result, write_variant_result
from atomic_lib.results.runs import resumed_since
from atomic_lib.results.sbom.package_identity import nevra
from atomic_lib.results.variant_result import ContentSummary, FailedBoot, Failure, StageTime, VariantResult
from atomic_lib.results.verification import Verification, about_image
from atomic_lib.solve.explain.why import Chain
from atomic_lib.solve.explain.without import Departure, size_of_departure
from atomic_lib.solve.rpm_set import RpmSet

_B = TypeVar("_B", Boot, CountedBoot)
_PATHS = ("lock", "signing_key", "ostree_key", "local_rpms", "local_rpms_key")


def without_paths(text: str, variant: Variant) -> str:
    """A text with the files of the user, which parameters of the variant name, by their names alone."""
    named = [CHECKOUT / path for name in _PATHS if (path := getattr(variant, name))]
    if variant.ostree_url.startswith("file:"):
        named.append(Path(variant.ostree_url.removeprefix("file://")))
    for path in named:
        if path.name and not path.resolve().is_relative_to(CHECKOUT.resolve()):
            text = text.replace(str(path), path.name)
    return text


class VariantRecord:
    """The result of one variant, growing stage by stage; the file is rewritten whole each time."""

    def __init__(self, variant: Variant, directory: Path, checkout: Path) -> None:
        self._path = directory / RESULT_FILE
        self._made_before = _made_stages(self._path)
        self._resumed_since = resumed_since(directory.parent)
        self._ownership = Ownership({})
        self._result = VariantResult(
            variant=variant.variant,
            description=variant.description,
            status="incomplete",
            method=variant.method,
            content=variant.content,
            content_summary=_content_summary(variant.content),
            recipe=variant.recipe,
            agent=variant.agent,
            version=variant.version,
            # no path of the user's
            parameters=parameter_values(variant)
            | {name: Path(getattr(variant, name)).name for name in _PATHS}
            | ({"ostree_url": "file"} if variant.ostree_url.startswith("file:") else {}),
            provenance={"atomic_lib_version": __version__, "git_revision": git_revision(checkout)},
        )

    @property
    def result(self) -> VariantResult:
        """What is known so far."""
        return self._result

    def add_packages(self, recipe: Recipe, rpm_set: RpmSet, tools_key: str, tool_versions: Mapping[str, str]) -> None:
        """Record the package set: lock, count and download size."""
        self._update(
            lock_sha256=rpm_set.lock.sha256,
            package_count=len(rpm_set.lock.packages),
            download_bytes=None if rpm_set.lock.commit else rpm_set.download_bytes,
            left_out=recipe.left_out,
            entry_count=len(recipe.packages) + len(recipe.left_out),
            notes=recipe.notes,
            provenance={**self._result.provenance, "tools": tools_key, **tool_versions},
        )
        self._add_stage("resolve", rpm_set)

    def add_tree(self, rpm_set: RpmSet, tree: Tree) -> None:
        """Record the tree: what it holds, by package and class."""
        owners, entries = tree.owners(), tree.entries()
        self._ownership = Ownership(owners, entries)
        footprint = measure_footprint(entries, owners, (p.name for p in rpm_set.lock.packages))
        packages = package_sizes(rpm_set, footprint)
        dropped = [
            f"{readable(path)}: a file that an ostree commit does not carry, because its directory is made at boot"
            for path in tree.dropped_files
        ]
        self._update(
            commit=tree.commit,
            content_checksum=tree.content_checksum,
            tree_bytes=footprint.tree.bytes,
            tree_files=footprint.tree.files,
            tree_allocated_bytes=footprint.tree.allocated_bytes,
            packages=packages,
            classes=class_sizes(packages, unowned_sizes(footprint)),
            directories=directory_sizes(footprint),
            notes=tuple(
                dict.fromkeys((*self._result.notes, *tree.left_out, *dropped, *_unexplained(tree.changed_files)))
            ),
        )
        self._add_stage("compose", tree)

    def add_reasons(self, chains: Mapping[str, Chain]) -> None:
        """Record why each package is there: its shortest chain from the recipe."""
        reasons = {
            name: tuple(WhyLink(kind=link.kind, package=link.package, capability=link.capability) for link in chain)
            for name, chain in chains.items()
        }
        packages = [size.model_copy(update={"why": reasons.get(size.name, ())}) for size in self._result.packages]
        self._update(packages=tuple(packages), departures=())

    def add_licenses(self, licenses: Mapping[str, str]) -> None:
        """Record the licence of each package, by NEVRA."""
        packages = [one.model_copy(update={"license": licenses.get(nevra(one), "")}) for one in self._result.packages]
        self._update(packages=tuple(packages))

    def add_departure(self, removed: str, title: str, departure: Departure) -> None:
        """Record what removing some packages would remove, in packages and in bytes of the composed tree."""
        sizes = {size.name: (size.bytes, size.files) for size in self._result.packages}
        gone = size_of_departure(departure, sizes)
        if gone is None:
            raise WorkbookError(
                f"{self._result.variant}: a package that would be removed without {title} was not measured"
            )
        leaves = DepartureSize(
            removed=removed,
            title=title,
            packages=tuple(package.name for package in departure.leaves),
            entries=(*departure.entries, *departure.members),
            arrivals=tuple(package.name for package in departure.comes),
            bytes=gone[0],
            files=gone[1],
        )
        self._update(departures=(*self._result.departures, leaves))

    def add_container_packages(self, rpm_set: RpmSet) -> None:
        """Record the package set of the container image."""
        self._update(container_lock_sha256=rpm_set.lock.sha256)
        self._add_stage("container-resolve", rpm_set)

    def add_container(self, image: ContainerImage, figures: ContainerFigures) -> None:
        """Record the container image, and what of it the tree has."""
        self._update(container=figures)
        self._add_stage("container", image)

    def add_image(
        self, image: Image, footprint: ImageFootprint | None = None, verified: Verification | None = None
    ) -> None:
        """Record the disk image: its sizes, what its bytes belong to, its forbidden files, what ``verify`` found."""
        packages = with_image(self._result.packages, footprint) if footprint else self._result.packages
        self._update(
            image_virtual_bytes=image.virtual_bytes,
            image_allocated_bytes=image.allocated_bytes,
            image_compressed_bytes=image.compressed_bytes,
            image_sha256=image.sha256 or None,
            image_compressed_sha256=image.compressed_sha256 or None,
            verified=about_image(verified, image.key, image.sha256, image.compressed_sha256),
            packages=packages,
            image_parts=image_parts(footprint) if footprint else (),
            forbidden_paths=count_forbidden(image.entries(), footprint.python_scripts if footprint else ()),
        )
        self._add_stage("image", image)

    def add_labels(self, labels: Labels) -> None:
        """Record how the image's labels compare with the image's own SELinux policy."""
        self._update(labels=labels)

    def add_guards(self, guards: tuple[Guard, ...]) -> None:
        """What the guards of the image found, with the packages of paths; that of open ports comes with the boots."""
        self._update(guards=tuple(_with_owners(guard, self._ownership) for guard in guards))

    def add_release(self, release: Release | None) -> None:
        """Record what changed since the earlier build; None if there is none."""
        self._update(release=release)

    def add_boots(
        self,
        timed: Sequence[StoredBoot],
        counted: Sequence[CountedBoot],
        failed: Sequence[FailedBoot],
        missing: int | None,
    ) -> None:
        """Record the boots made so far; the variant is complete if 0 are ``missing``, and failed if that is None."""
        boots = [_with_packages(stored.boot, stored.unit_files, self._ownership) for stored in timed]
        # the report of a counted boot names no files
        files = {unit.unit: packaged_path(unit.unit) for boot in counted for unit in boot.units}
        counted_boots = [_with_packages(boot, files, self._ownership) for boot in counted]
        self._update(
            boots=tuple(boots),
            counted_boots=tuple(counted_boots),
            failed_boots=tuple(failed),
            guards=with_open_ports(self._result.guards, [boot.listeners for boot in boots]),
        )
        if missing == 0:
            self.finish()
        elif missing is not None:
            self._update(status="incomplete", error=None)

    def finish(self) -> None:
        """Mark the result as complete."""
        self._update(status="ok", error=None)

    def fail(self, stage: str, error: WorkbookError) -> None:
        """Record the first stage that failed, and why, without names of this machine; earlier figures stay."""
        earlier = self._result.error
        if earlier is None or earlier.stage == stage:
            scrub = scrubber(self._path.parent)
            texts = {"message": scrub(error.message), "hint": scrub(error.hint), "log": scrub(error.log)}
            self._update(status="failed", error=Failure(stage=stage, **texts))

    def _add_stage(self, name: str, made: RpmSet | Tree | Image | ContainerImage) -> None:
        """Record a finished stage; it replaces the entry of an earlier attempt, even of a failed one."""
        reused = made.reused and made.key not in self._made_before and not self._was_interrupted(made)
        stage = StageTime(stage=name, seconds=made.seconds, reused=reused, key=made.key)
        others = [earlier for earlier in self._result.stages if earlier.stage != name]
        self._update(stages=(*others, stage), status="incomplete", error=None)

    def _was_interrupted(self, made: RpmSet | Tree | Image | ContainerImage) -> bool:
        """Whether an interrupted run that this one resumes has made a stored stage."""
        if self._resumed_since is None:
            return False
        stored = made.directory.parent if isinstance(made, RpmSet) else made.directory
        return (stored / MANIFEST).stat().st_mtime >= self._resumed_since

    def _update(self, **values: Any) -> None:
        self._result = VariantResult.model_validate({**dict(self._result), **values})
        write_variant_result(self._path, self._result)


def _unexplained(files: Iterable[ChangedFile]) -> list[str]:
    exceptions = load_attribute_exceptions()
    return [readable(file.text) for file in files if not any(one.explains(file.path, file.what) for one in exceptions)]


def _with_packages(boot: _B, files: Mapping[str, str], ownership: Ownership) -> _B:
    """The boot with the package of each unit, from the paths of the units' files."""
    packages = {unit: ownership.owner_of(path) for unit, path in files.items()}
    units = [unit.model_copy(update={"package": packages.get(unit.unit)}) for unit in boot.units]
    return boot.model_copy(update={"units": tuple(units)})


def _with_owners(guard: Guard, ownership: Ownership) -> Guard:
    findings = [one.model_copy(update={"package": ownership.owner_of(one.found)}) for one in guard.findings]
    return guard.model_copy(update={"findings": tuple(findings)})


def _made_stages(path: Path) -> set[str]:
    """The keys of the stages that an earlier round of the same run made."""
    if not path.exists():
        return set()
    return {stage.key for stage in read_variant_result(path).stages if not stage.reused}


def failed_result(directory: Path, variant: Variant, checkout: Path, error: WorkbookError) -> VariantResult:
    """The failed variant's record, with ``error`` where it has none of its own yet."""
    path = directory / RESULT_FILE
    if path.exists():
        result = read_variant_result(path)
        if result.status == "failed":
            return result
    record = VariantRecord(variant, directory, checkout)
    record.fail("notebook", error)
    return record.result


def git_revision(checkout: Path) -> str | None:
    """The checkout's commit, with ``-dirty`` when files differ from it; None outside a git checkout."""
    git = ["git", "-c", f"safe.directory={checkout}", "-C", str(checkout)]
    try:
        revision = command.run([*git, "rev-parse", "HEAD"]).stdout.strip()
        changed = command.run([*git, "status", "--porcelain"]).stdout.strip()
    except command.CommandError:
        return None
    return f"{revision}-dirty" if changed else revision


def _content_summary(content: str) -> ContentSummary | None:
    """What the content is; None if it is not defined, which is then the failure of its first stage."""
    try:
        definition = load_definition(content)
    except WorkbookError:
        return None
    standin = isinstance(definition, DebianContent)
    return ContentSummary(title=definition.title, releasever=definition.releasever, standin=standin)
