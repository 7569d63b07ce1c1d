"""Runs a saved variant, as ``./workbook run`` does, and gives its comparison to a notebook."""

import os
import tempfile
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD
from atomic_lib.pipeline.explore.saved_variant import SavedVariant
from atomic_lib.pipeline.namespace_process import run_module
from atomic_lib.report.elements.blocks import Stack
from atomic_lib.report.figures import waterfall
from atomic_lib.report.tables import overview_tables
from atomic_lib.report.tables.build_contents import package_change_tables
from atomic_lib.results.result_files import read_study_result
from atomic_lib.results.runs import finished_runs
from atomic_lib.results.study_result import StudyResult

LAST_STAGES = ("tree", "image", "boot")
_LONGEST_SECONDS = 6 * 3600.0


def run_saved(saved: SavedVariant, last_stage: str = "tree") -> StudyResult:
    """Run the study of a saved variant as far as ``last_stage``, and return its results; progress lines are shown.

    Raises WorkbookError if the run fails.
    """
    if last_stage not in LAST_STAGES:
        raise WorkbookError(f"last_stage: {last_stage!r} is not accepted", hint=f"accepted: {', '.join(LAST_STAGES)}")
    with tempfile.TemporaryDirectory(prefix=f"workbook-run-{os.getpid()}-") as directory:
        words = ["run", saved.name, "--set", f"last_stage={last_stage}"]
        try:
            run_module("atomic_lib", words, log=Path(directory, "log"), timeout_seconds=_LONGEST_SECONDS,
                       shown=["./workbook", *words])  # fmt: skip
        except CommandError as error:
            if not error.log:
                raise
            raise WorkbookError(f"{saved.command} failed", log=error.log, hint="its page says more") from None
    return read_study_result(newest_run(saved.name))


def newest_run(study: str, runs: Path = BUILD / "runs") -> Path:
    """The directory of the newest finished run of a study; raises WorkbookError if there is none."""
    found = [run for run in finished_runs(runs) if run.name.endswith(f"Z-{study}")]
    if not found:
        raise WorkbookError(f"no run of the study {study!r}", hint=f"./workbook run {study}")
    return max(found)


def comparison(result: StudyResult) -> Stack:
    """What a run found: each variant's figures, and the packages that cause the differences."""
    return Stack(
        (overview_tables.overview(result), waterfall.section(result), package_change_tables.causes_table(result))
    )
