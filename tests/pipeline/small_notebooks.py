"""Small notebooks for the tests of what executes notebooks, and the code of real ones without a kernel."""

import ast
import json
from collections.abc import Sequence
from pathlib import Path
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


def displayed(notebook: Path) -> str:
    """What the cells of a real notebook display, executed here: the value of the last expression of each."""
    names: dict[str, Any] = {}
    shown = []
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] == "code":
            *body, last = ast.parse("".join(cell["source"])).body
            value = isinstance(last, ast.Expr)
            exec(compile(ast.Module(body if value else [*body, last], []), str(notebook), "exec"), names)
            if isinstance(last, ast.Expr):
                result = eval(compile(ast.Expression(last.value), str(notebook), "eval"), names)
                shown.append(result._repr_html_() if result is not None else "")
    return "".join(shown)
