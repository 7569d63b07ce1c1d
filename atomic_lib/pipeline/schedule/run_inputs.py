"""What a run is made from: lock, code and parameters as one checksum, by which an unchanged run is known."""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import find_damage
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.store import Store, key_of
from atomic_lib.compose.tree import recipe_inputs, tree_key
from atomic_lib.params.study_file import Study
from atomic_lib.params.study_updates import StudyUpdates
from atomic_lib.params.variant import Variant, parameter_values
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.update.any_update import open_any_update
from atomic_lib.pipeline.update.package_update import PackageUpdate
from atomic_lib.pipeline.update.variant_update import VariantUpdate
from atomic_lib.recipe.load import load_recipes
from atomic_lib.report.text.summary import SUMMARY_FILE
from atomic_lib.results.result_files import RESULT_FILE, read_variant_result
from atomic_lib.results.runs import INDEX_FILE
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.tools.context import Context

_CODE = ("atomic_lib", "notebooks", "params/budgets.yaml", "params/content", "params/repos", "params/rules",
         "requirements.lock")  # fmt: skip
"""What decides how a run is made, besides the study, its variants and their recipes."""
_UPDATE_CODE = ("params/treefiles", "params/kickstarts", "params/variants")
"""What also decides it if the study has updates: version 2 is made of further files."""


class Locks(NamedTuple):
    """The sha256 of a variant's lock, and of that of its container image; None: it has no image."""

    host: str
    container: str | None = None


class FinishedRun(NamedTuple):
    """A run without a failure; ``breaches``: how many budgets it broke."""

    name: str
    breaches: int

    @property
    def status(self) -> int:
        """Its exit status."""
        return 1 if self.breaches else 0


def unchanged_run(
    history: sqlite3.Connection, study: Study, variants: Sequence[Variant], context: Context, *, whole: bool
) -> FinishedRun | None:
    """The newest run of the study, if a run now would be made from the same.

    ``whole``: the newest one of the whole study; otherwise the newest one of a part of it, or with other parameters.
    None if a run has to be made: something has changed, a variant of the newest run failed, or resolving fails, an
    error that the run meets and shows.
    """
    row = history.execute(
        "SELECT run, status, inputs, (SELECT count(*) FROM breaches JOIN builds USING (build)"
        " WHERE builds.run = runs.run) FROM runs WHERE study = ? AND whole = ? ORDER BY created DESC, run DESC LIMIT 1",
        (study.study, whole),
    ).fetchone()
    if row is None or row[1] != "ok":
        return None
    try:
        locks = {variant.variant: resolved_locks(variant, context) for variant in variants}
        inputs = inputs_of_run(study, variants, locks, context)
    except WorkbookError:
        return None
    return FinishedRun(row[0], row[3]) if row[2] == inputs else None


def is_kept(directory: Path, variants: Iterable[Variant], store: Store) -> bool:
    """Whether a finished run still has its pages, and ``store`` the undamaged result of each of its stages."""
    if not all((directory / name).is_file() for name in (INDEX_FILE, SUMMARY_FILE)):
        return False
    try:
        results = [read_variant_result(directory / variant.variant / RESULT_FILE) for variant in variants]
    except WorkbookError:
        return False
    keys = {stage.key for result in results for stage in result.stages}
    # results name a tree by the key of what is in it
    stored = {key: path for path in store.results() for key in (path.name, tree_key(path.name)) if key in keys}
    with ThreadPoolExecutor() as pool:  # checksums of large files take most of the time, and threads share it
        return stored.keys() == keys and not any(pool.map(find_damage, stored.values()))


def resolved_locks(variant: Variant, context: Context) -> Locks:
    """The locks of a variant, resolved from the content as it is now.

    Raises WorkbookError as resolving does.
    """
    build = Build(variant, context)
    container = build.container_packages
    return Locks(build.rpm_set.lock.sha256, container.rpm_set.lock.sha256 if container else None)


def recorded_locks(results: Iterable[VariantResult]) -> dict[str, Locks]:
    """The locks of each variant that was resolved."""
    return {
        result.variant: Locks(result.lock_sha256, result.container_lock_sha256)
        for result in results
        if result.lock_sha256
    }


def inputs_of_run(
    study: Study, variants: Sequence[Variant], locks: Mapping[str, Locks], context: Context, checkout: Path = CHECKOUT
) -> str:
    """The checksum of all that a run of ``variants`` depends on; ``locks``: those of each variant.

    The same checksum means the same figures, but for wall-clock times. Raises WorkbookError if a version 2 of an update
    cannot be resolved.
    """
    return key_of({
        "study": study.model_dump(mode="json"),
        "parameters": {variant.variant: parameter_values(variant) for variant in variants},
        "recipes": {one.variant: [recipe_inputs(recipe) for recipe in load_recipes(one)] for one in variants},
        "locks": {variant.variant: locks[variant.variant] for variant in variants},
        "tools": context.tools_key,
        "code": _code_digest(checkout, _CODE),
        **({"updates": _update_inputs(study, study.updates, checkout)} if study.updates else {}),
    })  # fmt: skip


def _update_inputs(study: Study, asked: StudyUpdates, checkout: Path) -> dict[str, object]:
    """What the updates of a study depend on in addition: the packages of both versions, and the files of parameters.

    The packages are resolved from the content as it is now, and taken from the store if that has not changed. Variants
    that the study does not have are as their own files say.
    """
    named = [(name, study.study) for name in study.variants]
    named += [(name, "") for _, name in asked.variants_elsewhere()]
    updates = [open_any_update(name, asked.changes, of) for name, of in named]
    return {
        "locks": [[name, *_locks_of(update)] for (name, _), update in zip(named, updates, strict=True)],
        "code": _code_digest(checkout, _UPDATE_CODE),
    }


def _locks_of(update: VariantUpdate | PackageUpdate) -> list[str]:
    return [one.rpm_set.lock.sha256 for one in (update.before, update.after)]


def _code_digest(checkout: Path, names: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        top = checkout / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                digest.update(f"{path.relative_to(checkout)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
