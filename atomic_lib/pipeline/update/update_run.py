"""``./workbook update``: takes a guest of version 1 to version 2 and back, and writes the page of it."""

from atomic_lib.base.paths import BUILD, NOTEBOOKS
from atomic_lib.pipeline.pages.notebook_page import NotebookPage, publish_notebook
from atomic_lib.pipeline.update.any_update import open_any_update

NOTEBOOK = NOTEBOOKS / "update.ipynb"


def run_update(variant: str, changes: str) -> int:
    """Execute the notebook and write its page; returns the exit status, 1 if the update is not as predicted.

    Raises WorkbookError as ``open_any_update`` does, before anything is written, and as ``publish_notebook`` does.
    """
    open_any_update(variant, changes)
    page = NotebookPage(
        NOTEBOOK, "update", f"An update of {variant}: {changes}", "The update failed, or is not as predicted"
    )
    return publish_notebook(page, {"variant": variant, "changes": changes}, BUILD)
