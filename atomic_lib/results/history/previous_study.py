"""The run of a study before a given one, with all its results, from the directories of the runs."""

from contextlib import suppress
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.result_files import read_study_result
from atomic_lib.results.runs import finished_runs
from atomic_lib.results.study_result import StudyResult


def previous_study(run_directory: Path) -> StudyResult | None:
    """The newest earlier run of the same study that has all its variants; None if there is none that can be read."""
    own = read_study_result(run_directory)
    others = []
    for path in finished_runs(run_directory.resolve().parent):
        with suppress(WorkbookError):  # another version of the workbook wrote it, or it is not a run of a study
            others.append(read_study_result(path))
    fitting = [
        one
        for one in others
        if one.study == own.study
        and one.created < own.created
        and all(one.variant(result.variant) for result in own.variants)
    ]
    return max(fitting, key=lambda one: (one.created, one.run), default=None)
