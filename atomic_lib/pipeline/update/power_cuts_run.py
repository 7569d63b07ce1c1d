"""``./workbook power-cuts``: records an upgrade, checks what power cuts leave, and writes the page of it."""

from atomic_lib.base.model import Scalar
from atomic_lib.base.paths import BUILD, NOTEBOOKS
from atomic_lib.pipeline.pages.notebook_page import NotebookPage, publish_notebook
from atomic_lib.pipeline.update.variant_power_cuts import open_power_cuts

NOTEBOOK = NOTEBOOKS / "power-cuts.ipynb"


def run_power_cuts(variant: str, states: int, boots: int, packages: str) -> int:
    """Execute the notebook and write its page; returns the exit status, 1 if a control does not fail as it must.

    Raises WorkbookError as ``open_power_cuts`` does, before anything is written, and as ``publish_notebook`` does.
    """
    open_power_cuts(variant, states, boots, packages)
    page = NotebookPage(
        NOTEBOOK, "power-cuts", f"Power cuts during an upgrade of {variant}", "The check failed, or it is not proven"
    )
    parameters: dict[str, Scalar] = {"variant": variant, "states": states, "boots": boots, "packages": packages}
    return publish_notebook(page, parameters, BUILD)
