"""Small notebooks for the tests of what executes notebooks."""

from collections.abc import Sequence
from typing import Any


def notebook(cells: Sequence[str], kernel: str = "python3") -> dict[str, Any]:
    """A notebook of code cells, of which the first one has the parameters."""
    code: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"cell-{number}", "source": source, "outputs": [], "execution_count": None,
         "metadata": {"tags": [] if number else ["parameters"]}}
        for number, source in enumerate(cells)
    ]  # fmt: skip
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    return {"cells": code, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
