"""``./workbook update``: takes guests of version 1 to version 2 and back, and writes the page of it.

The study ``update`` (``./workbook run update``) executes the same notebooks for several variants, and compares them.
"""

from atomic_lib.base.paths import BUILD, NOTEBOOKS
from atomic_lib.guest.refusals.update_cases import CASES
from atomic_lib.guest.update.return_faults import FAULTS
from atomic_lib.pipeline.pages.notebook_page import NotebookPage, publish_notebook
from atomic_lib.pipeline.update.any_update import open_any_update
from atomic_lib.pipeline.update.variant_refusals import open_refusals
from atomic_lib.pipeline.update.variant_return import open_returns

NOTEBOOK, RETURN_NOTEBOOK = NOTEBOOKS / "update.ipynb", NOTEBOOKS / "automatic-return.ipynb"
REFUSED_NOTEBOOK = NOTEBOOKS / "refused-updates.ipynb"
_ALL = "all"


def run_update(variant: str, changes: str) -> int:
    """Execute the notebook and write its page; returns the exit status, 1 if the update is not as predicted.

    Raises WorkbookError as ``open_any_update`` does, before anything is written, and as ``publish_notebook`` does.
    """
    open_any_update(variant, changes)
    page = NotebookPage(
        NOTEBOOK, "update", f"An update of {variant}: {changes}", "The update failed, or is not as predicted",
        runs=f"update-of-{variant}",
    )  # fmt: skip
    return publish_notebook(page, {"variant": variant, "changes": changes}, BUILD)


def run_returns(variant: str, faults: str) -> int:
    """Execute the notebook of the automatic return and write its page; returns the exit status, 1 if a guest does not
    end where it should.

    ``faults``: names in ``FAULTS``, or "all". Raises WorkbookError as ``open_returns`` does, before anything is
    written, and as ``publish_notebook`` does.
    """
    named = all_faults(faults)
    open_returns(variant, named)
    page = NotebookPage(
        RETURN_NOTEBOOK, "update", f"The automatic return of {variant}", "A guest is not where it should be",
        runs=RETURN_NOTEBOOK.stem,
    )  # fmt: skip
    return publish_notebook(page, {"variant": variant, "faults": named}, BUILD)


def run_refusals(variant: str, cases: str) -> int:
    """Execute the notebook of updates with a fault and write its page; returns the exit status, 1 if one was not
    treated as it must be.

    ``cases``: names in ``CASES``, or "all". Raises WorkbookError as ``open_refusals`` does, before anything is written,
    and as ``publish_notebook`` does.
    """
    named = all_cases(cases)
    open_refusals(variant, named)
    page = NotebookPage(
        REFUSED_NOTEBOOK, "update", f"Updates with a fault, offered to {variant}",
        "An update with a fault was not treated as it must be", runs=REFUSED_NOTEBOOK.stem,
    )  # fmt: skip
    return publish_notebook(page, {"variant": variant, "cases": named}, BUILD)


def all_faults(faults: str) -> str:
    """The faults, of which "all" names each."""
    return " ".join(FAULTS) if faults == _ALL else faults


def all_cases(cases: str) -> str:
    """The cases, of which "all" names each."""
    return " ".join(CASES) if cases == _ALL else cases
