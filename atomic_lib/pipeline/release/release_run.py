"""``./workbook release-notes``: the notes of one image of a finished run, as Markdown and as a page."""

from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, NOTEBOOKS
from atomic_lib.pipeline.notebooks import Execution, execute_all
from atomic_lib.report.page.export import PageFrame, PageLink, export_html
from atomic_lib.report.release_notes.notes import NOTES_MARKDOWN, NOTES_NOTEBOOK, NOTES_PAGE, read_notes
from atomic_lib.results.result_files import RESULT_FILE
from atomic_lib.results.runs import INDEX_FILE, latest_link
from atomic_lib.results.sbom.sbom_document import sbom_file
from atomic_lib.solve.lock import LOCK_FILE

NOTEBOOK = NOTEBOOKS / NOTES_NOTEBOOK
_DOWNLOADS = (NOTES_MARKDOWN, NOTES_NOTEBOOK, RESULT_FILE, LOCK_FILE)


@dataclass(frozen=True)
class NotesRequest:
    """Whose notes: a variant in a run. ``run``: its name; empty: the latest one of the study. ``since``: another run's
    name; empty: compare with none."""

    study: str
    variant: str
    run: str = ""
    since: str = ""


def run_release_notes(request: NotesRequest) -> int:
    """Execute the notebook and write its Markdown and its page beside the variant's result; returns the exit status.

    Raises WorkbookError for what is not the name of a run, and as ``read_notes`` does, before anything is written;
    and if the notebook fails.
    """
    name = request.run or latest_link(request.study)
    if Path(name).name != name:
        raise WorkbookError(f"{name}: not the name of a run", hint="the directories in build/runs are the runs")
    run = (BUILD / "runs" / name).resolve()
    read_notes(run, request.variant, request.since, BUILD)
    directory = run / request.variant
    place = run.relative_to(CHECKOUT) if run.is_relative_to(CHECKOUT) else run
    parameters = {"run_directory": str(place), "variant": request.variant, "since": request.since}
    executed = directory / NOTES_NOTEBOOK
    for error in filter(None, execute_all([Execution(NOTEBOOK, executed, parameters)], workers=1)):
        raise error
    links = [PageLink(request.variant, INDEX_FILE), PageLink("Comparison", f"../{INDEX_FILE}")]
    names = [name for name in (*_DOWNLOADS, sbom_file(request.variant)) if (directory / name).exists()]
    frame = PageFrame(f"Release notes of {request.variant}", links, [PageLink(name, name) for name in names])
    export_html(executed, directory / NOTES_PAGE, frame)
    for name in (NOTES_MARKDOWN, NOTES_PAGE):
        print(directory / name)
    return 0
