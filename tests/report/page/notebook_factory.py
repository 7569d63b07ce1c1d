"""An executed run, and notebooks with chosen outputs, to make pages of."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import papermill
from traitlets.config import Config

from atomic_lib.base.paths import CHECKOUT
from atomic_lib.report.elements.blocks import Shown
from atomic_lib.report.figures import size_figures, timeline
from atomic_lib.report.tables import variant_tables
from atomic_lib.report.tables.boot import unit_tables
from atomic_lib.report.tables.build_contents import package_tables
from atomic_lib.results.variant_result import VariantResult

NOTEBOOK = CHECKOUT / "notebooks" / "compare.ipynb"
PAGES = ("index.html", "bytes.html", "boots.html", "packages.html", "checks.html", "atomic-min/index.html")


def executed(run_directory: Path, out: Path) -> None:
    """Execute the notebook over socket files: a TCP port would be open to everyone on this machine."""
    with tempfile.TemporaryDirectory() as sockets:  # a short path: one of a socket holds 107 bytes
        manager = {"transport": "ipc", "ip": f"{sockets}/kernel"}
        papermill.execute_notebook(
            NOTEBOOK, out, parameters={"run_directory": str(run_directory)}, progress_bar=False, log_output=False,
            cwd=run_directory, request_save_on_cell_execute=False, config=Config({"KernelManager": manager}),
        )  # fmt: skip


def write_variant_notebook(path: Path, result: VariantResult) -> None:
    """What an executed ``variant.ipynb`` shows, without building anything."""
    shown: list[Shown] = [
        variant_tables.summary_table(result), variant_tables.classes_table(result), size_figures.figure_classes(result),
        package_tables.packages_table(result), timeline.figure_time_line(result), variant_tables.boots_table(result),
        variant_tables.checks_table(result), unit_tables.units_table(result), variant_tables.stages_table(result),
        variant_tables.provenance_table(result),
    ]  # fmt: skip
    cells = [code("show", html_output(one)) for one in shown]
    write_notebook(path, [markdown(f"# {result.variant}\n\n## The tree"), *cells])


def html_output(shown: Shown) -> dict[str, object]:
    """The output of a cell that shows something."""
    data = {"text/html": shown._repr_html_()}
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}


def markdown(text: str, *tags: str) -> dict[str, object]:
    """A cell of text."""
    return {"cell_type": "markdown", "metadata": {"tags": list(tags)}, "source": text}


def code(text: str, *outputs: object, **metadata: object) -> dict[str, object]:
    """An executed cell of code."""
    return {"cell_type": "code", "metadata": metadata, "source": text, "outputs": list(outputs), "execution_count": 1}


def write_notebook(path: Path, cells: Sequence[Mapping[str, object]], **metadata: object) -> None:
    """Write a notebook of format 4.5, in which every cell has an id."""
    numbered = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": numbered}))
