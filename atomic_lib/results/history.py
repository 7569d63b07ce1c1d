"""A variant in earlier runs: its previous build, what changed since, and the figures of its last success."""

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store
from atomic_lib.measure.build_changes import (
    CHANGED_FILES,
    Change,
    changed_files_of_images,
    changed_packages,
    grouped_changes,
    read_changes,
)
from atomic_lib.results.analysis.fallbacks import has_failed
from atomic_lib.results.analysis.metrics import unclocked_metrics
from atomic_lib.results.build_result import Release
from atomic_lib.results.result_files import RESULT_FILE, RESULTS_FILE, read_study_result, read_variant_result
from atomic_lib.results.runs import finished_runs
from atomic_lib.results.study_result import PreviousFigures, StudyResult
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import Lock, read_lock
from atomic_lib.tools.context import Context

NOT_BUILT_IN = frozenset({
    "variant", "description", "last_stage", "boots_bios", "boots_uefi", "warm_up", "counted_boots", "accelerator",
    "data_source", "guest_cpus", "guest_memory_mib", "boot_timeout_seconds", "script_timeout_seconds",
    "script_memory_mib", "script_processes", "script_file_size_mib", "script_open_files", "recipe_roots",
    "ostree_url",
})  # fmt: skip
"""Parameters that do not change the image."""
_VERSIONS = {"git_revision": "revision of the workbook", "tools": "tools tree"}


class _StudyHead(TypedDict, total=False):
    """What is read of another run's ``results.json``."""

    study: str
    created: str


@dataclass(frozen=True)
class PreviousBuild:
    """A build of the same variant in another run: its study, when it was made (UTC, ISO 8601), result and lock."""

    run: str
    study: str
    made: str
    result: VariantResult
    lock: Lock


def previous_build(runs: Path, own_run: Path, result: VariantResult) -> PreviousBuild | None:
    """The newest build of the variant in a finished run other than ``own_run``; None if there is none.

    It has another commit or, where that says nothing, another image. A build that failed, or
    whose files cannot be read (another version of the workbook wrote them), is passed over.
    """
    for study, path in _newest_first(runs, own_run):
        found = _build_in(path, study, result.variant)
        if found and found.result.status == "ok" and _is_another(found.result, result):
            return found
    return None


def previous_study(run_directory: Path) -> StudyResult | None:
    """The newest earlier run of the same study that has all its variants; None if there is none that can be read."""
    own_run = run_directory.resolve()
    own = read_study_result(own_run)
    for head, path in _newest_first(own_run.parent, own_run):
        if head.get("study") != own.study or head.get("created", "") >= own.created:
            continue
        with suppress(WorkbookError):  # another version of the workbook wrote it
            found = read_study_result(path)
            if all(found.variant(result.variant) for result in own.variants):
                return found
    return None


def previous_figures(runs: Path, own_run: Path, failed: VariantResult) -> PreviousFigures | None:
    """The figures of the newest finished run other than ``own_run`` in which the variant did not fail.

    None if no run built it from the same recipe.
    """
    for _, path in _newest_first(runs, own_run):
        try:
            result = read_variant_result(path / failed.variant / RESULT_FILE)
        except WorkbookError:
            continue  # not in that run, or written by another version of the workbook
        if result.status == "ok" and not has_failed(result) and _made_of(result) == _made_of(failed):
            values = {metric.name: metric.value(result) for metric in unclocked_metrics([result])}
            figures = {name: value for name, value in values.items() if value is not None}
            return PreviousFigures(variant=failed.variant, run=path.name, figures=figures)
    return None


def changes_since(
    earlier: PreviousBuild, result: VariantResult, lock: Lock, context: Context, *, directory: Path
) -> Release:
    """What changed from the earlier build to ``result``; all changed paths go into ``directory`` as CSV."""
    release = Release(
        run=earlier.run,
        made=earlier.made,
        inputs=_inputs(earlier.result, result),
        packages=changed_packages(earlier.lock, lock),
    )
    before, after = (_key(one, "image") for one in (earlier.result, result))
    if not after:
        return release.model_copy(update={"files_reason": "the variant goes no further than its tree"})
    if not before:
        return release.model_copy(update={"files_reason": "the previous build went no further than its tree"})
    try:
        what = f"{result.variant}: compare with {earlier.run}"
        changed = changed_files_of_images(before, after, context, what=what)
    except WorkbookError as error:
        return release.model_copy(
            update={"files_reason": f"the images could not be compared: {_told(error, context.store)}"}
        )
    if changed is None:
        return release.model_copy(update={"files_reason": _gone(earlier, result.variant)})
    shutil.copyfile(changed, directory / CHANGED_FILES)
    return release.model_copy(update={"files": grouped_changes(read_changes(changed))})


def _newest_first(runs: Path, own_run: Path) -> list[tuple[_StudyHead, Path]]:
    """The finished runs but ``own_run``, each with its study's result."""
    others = [path for path in finished_runs(runs) if path.resolve() != own_run.resolve()]
    dated = ((_study_of(path), path) for path in others)
    return sorted(dated, key=lambda one: (one[0].get("created", ""), one[1]), reverse=True)


def _made_of(result: VariantResult) -> tuple[object, ...]:
    return result.method, result.content, result.recipe, result.parameters.get("parts", "")


def _study_of(run: Path) -> _StudyHead:
    try:
        study = json.loads((run / RESULTS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(study, dict):
        return {}
    return {"study": str(study.get("study", "")), "created": str(study.get("created", ""))}


def _build_in(run: Path, study: _StudyHead, variant: str) -> PreviousBuild | None:
    directory = run / variant
    try:
        result, lock = read_variant_result(directory / RESULT_FILE), read_lock(directory / "lock.json")
    except WorkbookError:
        return None
    return PreviousBuild(run.name, study.get("study", ""), study.get("created", ""), result, lock)


def _is_another(one: VariantResult, other: VariantResult) -> bool:
    """Whether two results are of different builds.

    A rebuild of the same commit with the same parameters is the same build.
    """
    if one.commit != other.commit:
        return True
    stage = "image" if _key(one, "image") and _key(other, "image") else "compose"
    same_inputs = one.commit is not None and not _parameters(one, other)
    return not same_inputs and _key(one, stage) != _key(other, stage)


def _key(result: VariantResult, stage: str) -> str:
    return next((made.key for made in result.stages if made.stage == stage), "")


def _inputs(before: VariantResult, after: VariantResult) -> tuple[Change, ...]:
    """What differs in the parameters that change the image, in the workbook and in its tools."""
    pairs = {title: (before.provenance.get(name), after.provenance.get(name)) for name, title in _VERSIONS.items()}
    versions = [
        Change(name=title, before=str(old or "unknown"), after=str(new or "unknown"))
        for title, (old, new) in pairs.items()
        if old != new
    ]
    return (*_parameters(before, after), *versions)


def _parameters(before: VariantResult, after: VariantResult) -> tuple[Change, ...]:
    old, new = before.parameters, after.parameters
    names = [
        name
        for name in dict.fromkeys((*new, *old))
        if name not in NOT_BUILT_IN and _text(old.get(name)) != _text(new.get(name))
    ]
    return tuple(Change(name=name, before=_text(old.get(name)), after=_text(new.get(name))) for name in names)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _told(error: WorkbookError, store: Store) -> str:
    """What is wrong, without the path of the store on this machine."""
    return error.message.splitlines()[0].replace(f"{store.root}/", "")


def _gone(earlier: PreviousBuild, variant: str) -> str:
    lock = f"build/runs/{earlier.run}/{variant}/lock.json"
    return (
        "the previous image is no longer in the store; "
        f"./workbook run {earlier.study} --variant {variant} --lock {lock}, with that run's parameters and revision, "
        "builds it again"
    )
