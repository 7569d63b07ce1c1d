"""A variant in earlier runs: its previous build, what changed since, and the figures of its last success."""

import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
from atomic_lib.results.build_result import Release
from atomic_lib.results.history.run_recording import text_of
from atomic_lib.results.study_result import PreviousFigures
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.tools.context import Context

NOT_BUILT_IN = frozenset({
    "variant", "description", "last_stage", "boots_bios", "boots_uefi", "warm_up", "counted_boots", "accelerator",
    "data_source", "guest_cpus", "guest_memory_mib", "boot_timeout_seconds", "script_timeout_seconds",
    "script_memory_mib", "script_processes", "script_file_size_mib", "script_open_files", "commit_size_mib",
    "commit_files", "recipe_roots", "ostree_url", "strict", "container",
})  # fmt: skip
"""Parameters that do not change the image."""
_VERSIONS = {"git_revision": "revision of the workbook", "tools": "tools tree"}


@dataclass(frozen=True)
class PreviousBuild:
    """A build of the same variant in another run: its study, when it was made (UTC, ISO 8601), inputs and lock.

    ``keys``: of its stages. ``parameters`` and ``versions`` as the history keeps them.
    """

    run: str
    study: str
    made: str
    commit: str | None
    keys: Mapping[str, str]
    parameters: Mapping[str, str]
    versions: Mapping[str, str]
    lock: Lock


def previous_build(history: sqlite3.Connection, own_run: str, result: VariantResult) -> PreviousBuild | None:
    """The newest build of the variant in a run other than ``own_run``; None if there is none.

    It has another commit or, where that says nothing, another image. A build that failed, or
    without a lock, is passed over.
    """
    rows = history.execute(
        "SELECT build, run, study, created, commit_checksum, lock FROM builds JOIN runs USING (run)"
        " WHERE variant = ? AND run != ? AND builds.status = 'ok' AND lock IS NOT NULL"
        " ORDER BY created DESC, run DESC",
        (result.variant, own_run),
    )
    for build, run, study, created, commit, lock in rows:
        found = PreviousBuild(
            run, study, created, commit,
            keys=_pairs(history, "SELECT stage, key FROM stages WHERE build = ?", build),
            parameters=_pairs(history, "SELECT parameter, value FROM parameters WHERE build = ?", build),
            versions=_pairs(history, "SELECT program, version FROM versions WHERE build = ?", build),
            lock=recorded_lock(history, lock),
        )  # fmt: skip
        if _is_another(found, result):
            return found
    return None


def previous_figures(history: sqlite3.Connection, own_run: str, failed: VariantResult) -> PreviousFigures | None:
    """The figures of the newest run other than ``own_run`` in which the variant did not fail, but wall-clock times.

    None if no run built it from the same recipe.
    """
    parts = text_of(failed.parameters.get("parts"))
    row = history.execute(
        "SELECT build, run FROM builds JOIN runs USING (run)"
        " WHERE variant = ? AND run != ? AND passed AND method = ? AND content = ? AND recipe = ?"
        " AND coalesce((SELECT value FROM parameters WHERE parameters.build = builds.build AND parameter = 'parts'),"
        " '') = ? ORDER BY created DESC, run DESC LIMIT 1",
        (
            failed.variant,
            own_run,
            failed.method,
            failed.content,
            failed.recipe,
            parts,
        ),
    ).fetchone()
    if row is None:
        return None
    figures = history.execute("SELECT figure, value FROM figures WHERE build = ? AND unit != 'seconds'", row[:1])
    return PreviousFigures(variant=failed.variant, run=row[1], figures=dict(figures))


def recorded_lock(history: sqlite3.Connection, lock: str) -> Lock:
    """The lock with this sha256."""
    (content,) = history.execute("SELECT content FROM locks WHERE lock = ?", (lock,)).fetchone()
    rows = history.execute(
        "SELECT name, epoch, version, release, arch, sha256, size_bytes, repo, vendor FROM locked_packages"
        " WHERE lock = ?",
        (lock,),
    )
    return Lock(content, tuple(sorted(LockedPackage(*row) for row in rows)))


def changes_since(
    earlier: PreviousBuild, result: VariantResult, lock: Lock, context: Context, *, directory: Path
) -> Release:
    """What changed from the earlier build to ``result``; all changed paths go into ``directory`` as CSV."""
    release = Release(
        run=earlier.run,
        made=earlier.made,
        inputs=_inputs(earlier, result),
        packages=changed_packages(earlier.lock, lock),
    )
    before, after = earlier.keys.get("image"), _keys(result).get("image")
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


def _pairs(history: sqlite3.Connection, query: str, build: int) -> dict[str, str]:
    return dict(history.execute(query, (build,)))


def _is_another(one: PreviousBuild, other: VariantResult) -> bool:
    """Whether two results are of different builds.

    A rebuild of the same commit with the same parameters is the same build.
    """
    if one.commit != other.commit:
        return True
    keys = _keys(other)
    stage = "image" if one.keys.get("image") and keys.get("image") else "compose"
    same_inputs = one.commit is not None and not _parameters(one, other)
    return not same_inputs and one.keys.get(stage) != keys.get(stage)


def _keys(result: VariantResult) -> dict[str, str]:
    return {made.stage: made.key for made in result.stages}


def _inputs(before: PreviousBuild, after: VariantResult) -> tuple[Change, ...]:
    """What differs in the parameters that change the image, in the workbook and in its tools."""
    pairs = {title: (before.versions.get(name), after.provenance.get(name)) for name, title in _VERSIONS.items()}
    versions = [
        Change(name=title, before=str(old or "unknown"), after=str(new or "unknown"))
        for title, (old, new) in pairs.items()
        if old != new
    ]
    return (*_parameters(before, after), *versions)


def _parameters(before: PreviousBuild, after: VariantResult) -> tuple[Change, ...]:
    old, new = before.parameters, {name: text_of(value) for name, value in after.parameters.items()}
    names = [
        name
        for name in dict.fromkeys((*new, *sorted(old)))
        if name not in NOT_BUILT_IN and old.get(name, "") != new.get(name, "")
    ]
    return tuple(Change(name=name, before=old.get(name, ""), after=new.get(name, "")) for name in names)


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
