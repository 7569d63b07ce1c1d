"""What a run is made from: lock, code and parameters as one checksum, by which an unchanged run is known."""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.store import key_of
from atomic_lib.compose.tree import recipe_inputs
from atomic_lib.params.study_file import Study
from atomic_lib.params.variant import Variant, parameter_values
from atomic_lib.pipeline.build import Build
from atomic_lib.recipe.load import load_recipe
from atomic_lib.tools.context import Context

_CODE = ("atomic_lib", "notebooks", "params/content", "params/repos", "params/rules", "requirements.lock")
"""What decides how a run is made, besides the study, its variants and their recipes."""


def resolved_locks(variants: Sequence[Variant], context: Context) -> dict[str, str]:
    """The sha256 of each variant's lock, resolved from the content as it is now.

    Raises WorkbookError as resolving does.
    """
    return {variant.variant: Build(variant, context).rpm_set.lock.sha256 for variant in variants}


def unchanged_run(history: sqlite3.Connection, study: str, inputs: str) -> str | None:
    """The newest run of the whole study, if it was successful and made from these ``inputs``; None otherwise."""
    row = history.execute(
        "SELECT run, status, inputs FROM runs WHERE study = ? AND whole ORDER BY created DESC, run DESC LIMIT 1",
        (study,),
    ).fetchone()
    return row[0] if row and row[1:] == ("ok", inputs) else None


def inputs_of_run(
    study: Study, variants: Sequence[Variant], locks: Mapping[str, str], context: Context, checkout: Path = CHECKOUT
) -> str:
    """The checksum of all that a run of ``variants`` depends on; ``locks``: the sha256 of each variant's lock.

    The same checksum means the same figures, but for wall-clock times.
    """
    return key_of({
        "study": study.model_dump(mode="json"),
        "parameters": {variant.variant: parameter_values(variant) for variant in variants},
        "recipes": {variant.variant: recipe_inputs(load_recipe(variant)) for variant in variants},
        "locks": {variant.variant: locks[variant.variant] for variant in variants},
        "tools": context.tools_key,
        "code": _code_digest(checkout),
    })  # fmt: skip


def _code_digest(checkout: Path) -> str:
    digest = hashlib.sha256()
    for name in _CODE:
        top = checkout / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                digest.update(f"{path.relative_to(checkout)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
