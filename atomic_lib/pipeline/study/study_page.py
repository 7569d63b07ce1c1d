"""Writes the page that compares the variants of a run, and tells how the run ended."""

from collections.abc import Collection, Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, NOTEBOOKS
from atomic_lib.base.progress import passed, say
from atomic_lib.pipeline.notebooks import Execution, execute_all
from atomic_lib.report.page.export import write_pages
from atomic_lib.report.text.boot_words import failed_boot_notes
from atomic_lib.report.text.budget_words import breach_words
from atomic_lib.report.text.summary import SUMMARY_FILE
from atomic_lib.results.analysis.fallbacks import fallback_outcomes, in_place
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.update.update_results import UpdateRound

COMPARISON = "comparison"
"""The last part of a run. It takes seconds, so it does not count for the time that is left."""


def publish_page(directory: Path) -> Path:
    """Execute the comparison, write the pages and print the summary; returns the index."""
    parameters = {"run_directory": str(directory.relative_to(CHECKOUT))}
    compare = Execution(NOTEBOOKS / "compare.ipynb", directory / "compare.ipynb", parameters)
    for error in filter(None, execute_all([compare], workers=1)):
        opened = f"the executed notebook is {directory / 'compare.ipynb'}; open it with ./workbook lab"
        raise WorkbookError(f"notebooks/compare.ipynb failed: {error.message}", hint=error.hint or opened)
    page = write_pages(directory)
    passed(COMPARISON)
    say(f"\n{(directory / SUMMARY_FILE).read_text(encoding='utf-8')}")
    return page


def _with_places(hint: str, directory: Path) -> str:
    """A hint in whose text files of a variant's directory are named by their place, not as in its result.

    Other files, such as ./workbook, are those of the checkout, where the hint is read.
    """
    words = hint.split(" ")
    return " ".join(
        str(directory / word) if word.startswith("./") and not (CHECKOUT / word).exists() else word for word in words
    )


def report_run(
    study: StudyResult, page: Path, setup_faults: Collection[str] = (), updates: Sequence[UpdateRound] = ()
) -> int:
    """Print the failures, their fallbacks, the breaches of budgets and the path of the page; returns the exit status.

    ``setup_faults``: the variants that failed because of a fault of the setup. ``updates``: those that failed.
    """
    failures = [(result.variant, result.error) for result in study.variants if result.error]
    for name, error in failures:
        say(f"error: {name} failed at {error.stage}: {error.message}")
        if error.hint:
            say(f"Next step: {_with_places(error.hint, page.parent / name)}")
        if name in setup_faults:
            say(f"{name}: the cause is not the variant itself, so no fallback is built")
    for note in failed_boot_notes(study.variants):
        say(note)
    for found in fallback_outcomes(study):
        if found.stand_in:
            say(f"{in_place(found.stand_in.variant, found.failed.variant)}: the page has what it costs")
        else:
            say(f"{found.failed.variant}: its fallback {found.fallback} failed as well, nothing stands in")
    for update in updates:
        say(f"error: {update.title}: {update.error}")
        if update.hint:
            say(f"Next step: {update.hint}")
    for breach in study.breaches:
        say(f"over budget: {breach_words(breach)}")
    print(page)
    return 1 if failures or updates or study.breaches else 0
