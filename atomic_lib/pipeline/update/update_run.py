"""``./workbook update``: takes guests of version 1 to version 2 and back, and writes the page of it."""

from atomic_lib.base.paths import BUILD, NOTEBOOKS
from atomic_lib.guest.update.return_faults import FAULTS
from atomic_lib.pipeline.pages.notebook_page import NotebookPage, publish_notebook
from atomic_lib.pipeline.update.any_update import open_any_update
from atomic_lib.pipeline.update.variant_return import open_returns

NOTEBOOK, RETURN_NOTEBOOK = NOTEBOOKS / "update.ipynb", NOTEBOOKS / "automatic-return.ipynb"
_ALL = "all"


def run_update(variant: str, changes: str) -> int:
    """Execute the notebook and write its page; returns the exit status, 1 if the update is not as predicted.

    Raises WorkbookError as ``open_any_update`` does, before anything is written, and as ``publish_notebook`` does.
    """
    open_any_update(variant, changes)
    page = NotebookPage(
        NOTEBOOK, "update", f"An update of {variant}: {changes}", "The update failed, or is not as predicted"
    )
    return publish_notebook(page, {"variant": variant, "changes": changes}, BUILD)


def run_returns(variant: str, faults: str) -> int:
    """Execute the notebook of the automatic return and write its page; returns the exit status, 1 if a guest does not
    end where it should.

    ``faults``: names in ``FAULTS``, or "all". Raises WorkbookError as ``open_returns`` does, before anything is
    written, and as ``publish_notebook`` does.
    """
    named = " ".join(FAULTS) if faults == _ALL else faults
    open_returns(variant, named)
    page = NotebookPage(
        RETURN_NOTEBOOK, "update", f"The automatic return of {variant}", "A guest is not where it should be",
        runs=RETURN_NOTEBOOK.stem,
    )  # fmt: skip
    return publish_notebook(page, {"variant": variant, "faults": named}, BUILD)
