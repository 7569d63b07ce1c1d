"""``./workbook container``: runs a service in a container on a guest of a variant, and writes the page of it."""

from atomic_lib.base.paths import BUILD, NOTEBOOKS
from atomic_lib.pipeline.containers.variant_service import open_service
from atomic_lib.pipeline.pages.notebook_page import NotebookPage, publish_notebook

NOTEBOOK = NOTEBOOKS / "container.ipynb"


def run_service(variant: str, *, swarm: bool) -> int:
    """Execute the notebook and write its page; returns the exit status, 1 if the service is not as it must be.

    ``swarm``: a Docker Swarm of one node serves it, too.

    Raises WorkbookError as ``open_service`` does, before anything is written, and as ``publish_notebook`` does.
    """
    open_service(variant, swarm=swarm)
    page = NotebookPage(
        NOTEBOOK, "container", f"A service in a container on {variant}", "The container service failed its checks"
    )
    return publish_notebook(page, {"variant": variant, "swarm": swarm}, BUILD)
