"""A command that executes one notebook and publishes its page: ``equality`` and ``update``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Scalar
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.progress import say
from atomic_lib.pipeline.notebooks import Execution, execute_all
from atomic_lib.report.elements.blocks import Alert
from atomic_lib.report.page.export import PageFrame, PageLink, export_html
from atomic_lib.results.runs import INDEX_FILE, latest_link, link_newest, new_run, only_run
from atomic_lib.tools.context import open_context


@dataclass(frozen=True)
class NotebookPage:
    """A notebook and its page; ``name`` is that of the command and of its runs, ``failed`` the heading of an error.

    ``runs``: the name of its runs, if the command has another page as well.
    """

    notebook: Path
    name: str
    title: str
    failed: str
    runs: str = ""


def publish_notebook(page: NotebookPage, parameters: Mapping[str, Scalar], build: Path) -> int:
    """Execute the notebook and write its page as a new run; returns the exit status, 1 if the notebook failed.

    Raises WorkbookError while another run is in progress.
    """
    with only_run(build, cache_directory(), f"./workbook {page.name}"):
        open_context()
        directory = new_run(build / "runs", page.runs or page.name)
        executed = directory / page.notebook.name
        (error,) = execute_all([Execution(page.notebook, executed, dict(parameters))], workers=1)
        if error and not executed.exists():
            raise error
        published = _publish(page, directory, error)
    if error:
        say(f"error: {error}")
    print(published)
    return 1 if error else 0


def _publish(page: NotebookPage, directory: Path, error: WorkbookError | None) -> Path:
    """Write the page of the executed notebook; the link of the latest one points to it unless there is an error."""
    target, notebook = directory / INDEX_FILE, directory / page.notebook.name
    failed = Alert(page.failed, error.message, error.hint, error.log) if error else None
    latest = latest_link("default")
    links = [PageLink(page.name.capitalize(), INDEX_FILE, current=True)]
    links += [PageLink("Latest run", f"../{latest}/{INDEX_FILE}")] if (directory.parent / latest).exists() else []
    files = [PageLink(notebook.name, notebook.name)]
    export_html(notebook, target, PageFrame(page.title, links, files, failed=failed))
    if not error:
        link_newest(directory, latest_link(page.runs or page.name))
    return target
