"""The process that executes a notebook: how often it saves it."""

from datetime import timedelta
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from papermill import engines

from atomic_lib.pipeline.notebook_worker import seldom_saved


def test_a_notebook_of_many_short_cells_is_saved_seldom_but_after_a_long_one_and_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved: list[object] = []
    monkeypatch.setattr(engines, "write_ipynb", lambda notebook, path: saved.append(path))
    cells = [new_code_cell("1") for _ in range(50)]  # type: ignore[no-untyped-call]
    notebook = new_notebook(cells=cells, metadata={"papermill": {}})  # type: ignore[no-untyped-call]
    manager = engines.NotebookExecutionManager(notebook, Path("a.ipynb"), progress_bar=False)
    manager.notebook_start()
    with seldom_saved(manager):
        for cell in cells:
            manager.cell_start(cell)
            manager.cell_complete(cell)
        assert len(saved) < 10
        before = len(saved)
        manager.last_save_time -= timedelta(seconds=2)
        manager.cell_complete(cells[-1])
        assert len(saved) == before + 1
    manager.notebook_complete()
    assert len(saved) == before + 2
