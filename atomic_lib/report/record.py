"""The record of one variant while it is made: ``result.json``, true after every stage, also after one that failed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from atomic_lib import __version__, command
from atomic_lib.compose.resolve import RpmSet
from atomic_lib.compose.tree import Tree
from atomic_lib.errors import WorkbookError
from atomic_lib.image.disk import Image
from atomic_lib.measure.footprint import Footprint, count_forbidden, measure_footprint
from atomic_lib.params import Variant, parameter_values
from atomic_lib.recipe.model import Recipe
from atomic_lib.report.classes import class_of, class_of_path
from atomic_lib.report.html import scrubber
from atomic_lib.report.model import Boot, ClassSize, Failure, PackageSize, StageTime, VariantResult
from atomic_lib.report.results import RESULT_FILE, class_sizes, read_variant_result, write_variant_result


class VariantRecord:
    """The result of one variant, growing stage by stage; the file is rewritten whole each time."""

    def __init__(self, variant: Variant, directory: Path, checkout: Path) -> None:
        self._path = directory / RESULT_FILE
        self._made_before = _made_stages(self._path)
        self._result = VariantResult(
            variant=variant.variant,
            description=variant.description,
            status="incomplete",
            method=variant.method,
            content=variant.content,
            recipe=variant.recipe,
            agent=variant.agent,
            version=variant.version,
            parameters=parameter_values(variant) | {"lock": Path(variant.lock).name},
            provenance={"atomic_lib_version": __version__, "git_revision": git_revision(checkout)},
        )

    @property
    def result(self) -> VariantResult:
        """What is known so far."""
        return self._result

    def add_packages(self, recipe: Recipe, rpm_set: RpmSet, tools_key: str, tool_versions: Mapping[str, str]) -> None:
        """The package set: lock, count and download size."""
        self._update(
            lock_sha256=rpm_set.lock.sha256,
            package_count=len(rpm_set.lock.packages),
            download_bytes=rpm_set.download_bytes,
            notes=recipe.notes,
            provenance={**self._result.provenance, "tools": tools_key, **tool_versions},
        )
        self._add_stage("resolve", rpm_set)

    def add_tree(self, rpm_set: RpmSet, tree: Tree) -> None:
        """The tree: what it holds, by package and class."""
        footprint = measure_footprint(tree.entries(), tree.owners(), (p.name for p in rpm_set.lock.packages))
        packages = _package_sizes(rpm_set, footprint)
        unowned = [
            ClassSize(class_=class_of_path(entry.path), bytes=entry.size_bytes, files=1) for entry in footprint.unowned
        ]
        dropped = [f"{path}: a file in /var, which an ostree commit does not carry" for path in tree.dropped_var_files]
        self._update(
            commit=tree.commit,
            content_checksum=tree.content_checksum,
            tree_bytes=footprint.tree_bytes,
            tree_files=footprint.tree_files,
            packages=packages,
            classes=class_sizes(packages, unowned),
            notes=tuple(dict.fromkeys((*self._result.notes, *dropped))),
        )
        self._add_stage("compose", tree)

    def add_image(self, image: Image) -> None:
        """The disk image: its sizes, and what of the forbidden is in it."""
        self._update(
            image_virtual_bytes=image.virtual_bytes,
            image_allocated_bytes=image.allocated_bytes,
            image_compressed_bytes=image.compressed_bytes,
            forbidden_paths=count_forbidden(image.entries()),
        )
        self._add_stage("image", image)

    def add_boots(self, boots: Sequence[Mapping[str, Any]], missing: int | None) -> None:
        """The boots made so far; the variant is done when none is missing, and failed where ``missing`` is None."""
        known = set(Boot.model_fields)
        models = [Boot.model_validate({k: v for k, v in boot.items() if k in known}, strict=False) for boot in boots]
        if missing is None:
            self._update(boots=tuple(models))
        else:
            self._update(boots=tuple(models), status="incomplete" if missing else "ok", error=None)

    def fail(self, stage: str, error: WorkbookError) -> None:
        """The first stage that failed, and why, without traces of this machine; figures of earlier stages stay."""
        earlier = self._result.error
        if earlier is None or earlier.stage == stage:
            scrub = scrubber(self._path.parent)
            texts = {"message": scrub(error.message), "hint": scrub(error.hint), "log": scrub(error.log)}
            self._update(status="failed", error=Failure(stage=stage, **texts))

    def _add_stage(self, name: str, made: RpmSet | Tree | Image) -> None:
        """The stage that is done; a cell run again takes the place of the time before, also where that failed."""
        reused = made.reused and made.key not in self._made_before
        stage = StageTime(stage=name, seconds=made.seconds, reused=reused, key=made.key)
        others = [earlier for earlier in self._result.stages if earlier.stage != name]
        self._update(stages=(*others, stage), status="incomplete", error=None)

    def _update(self, **values: Any) -> None:
        self._result = VariantResult.model_validate({**dict(self._result), **values})
        write_variant_result(self._path, self._result)


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


def _package_sizes(rpm_set: RpmSet, footprint: Footprint) -> tuple[PackageSize, ...]:
    return tuple(
        PackageSize(
            name=package.name,
            epoch=package.epoch,
            version=package.version,
            release=package.release,
            arch=package.arch,
            bytes=footprint.packages[package.name].bytes,
            files=footprint.packages[package.name].files,
            download_bytes=package.size_bytes,
            class_=class_of(package.name),
        )
        for package in rpm_set.lock.packages
    )
