"""The run of a study before a given one, with all its results, from the directories of the runs."""

from contextlib import suppress
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.history.run_recording import facts_of
from atomic_lib.results.result_files import read_study_result
from atomic_lib.results.runs import finished_runs
from atomic_lib.results.study_result import StudyResult


def previous_study(run_directory: Path) -> StudyResult | None:
    """The newest earlier run of the same study that has all its variants; None if there is none that can be read.

    Before a run of the whole study it is another one of that kind: with other parameters, all would seem to change.
    """
    own = read_study_result(run_directory)
    for path in sorted(finished_runs(run_directory.resolve().parent), reverse=True):  # names begin with the time
        with suppress(WorkbookError):  # another version of the workbook wrote it, or it is not a run of a study
            one = read_study_result(path)
            if _comes_before(one, own):
                return one
    return None


def _comes_before(one: StudyResult, own: StudyResult) -> bool:
    return (
        one.study == own.study
        and one.created < own.created
        and (facts_of(one).whole or not facts_of(own).whole)
        and all(one.variant(result.variant) for result in own.variants)
    )
