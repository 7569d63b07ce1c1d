"""``./workbook layers``: updates a host over several versions as container images in layers, and writes the page."""

from dataclasses import asdict, dataclass

from atomic_lib.base.paths import BUILD, NOTEBOOKS
from atomic_lib.pipeline.layers.version_chain import open_chain
from atomic_lib.pipeline.pages.notebook_page import NotebookPage, publish_notebook

NOTEBOOK = NOTEBOOKS / "layers.ipynb"


@dataclass(frozen=True)
class ChainQuestion:
    """What the notebook is asked: its parameters."""

    variant: str
    versions: int
    packages: int
    seed: int


def run_layers(question: ChainQuestion) -> int:
    """Execute the notebook and write its page; returns the exit status, 1 if a download is not as predicted.

    Raises WorkbookError as ``open_chain`` does, before anything is written, and as ``publish_notebook`` does.
    """
    open_chain(question.variant, question.versions, question.packages, question.seed)
    page = NotebookPage(
        NOTEBOOK, "layers", f"{question.variant} in layers, over {question.versions} versions",
        "The updates failed, or are not as predicted",
    )  # fmt: skip
    return publish_notebook(page, asdict(question), BUILD)
