"""The parameters of a notebook: each of the type that its cell of parameters says, and none that it does not have.

papermill checks no types: ``-p swarm false`` gives a notebook the text "false", which is true for Python. Of an unknown
parameter it only warns.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import create_model

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.schema import ParamsModel, refuse_unknown_keys, validated

_INJECTED = "# Parameters\n"
"""How the cell begins that papermill injects."""
_HINT = (
    "with papermill: -p NAME True or -p NAME False, any other word is a text; -r NAME TEXT for a text that looks like "
    "a number; in a file: true or false"
)


def check_parameters(notebook: Mapping[str, Any]) -> None:
    """Check the parameters of a notebook, whose ``globals()`` these are, by the annotations of their cell.

    Raises WorkbookError naming each parameter that the notebook does not have, or that is not accepted.
    """
    types = {name: kind for name, kind in notebook.get("__annotations__", {}).items() if name in notebook}
    fields: dict[str, Any] = {name: (kind, ...) for name, kind in types.items()}
    model = create_model("Parameters", __base__=ParamsModel, **fields)
    refuse_unknown_keys(model, dict.fromkeys(_injected(notebook)), "parameters")
    try:
        validated(model, {name: notebook[name] for name in types}, "parameters", {})
    except WorkbookError as error:
        raise WorkbookError(error.message, hint=_HINT) from None


def _injected(notebook: Mapping[str, Any]) -> Iterator[str]:
    """The names in the cell that papermill injected, by IPython's list of the cells that ran."""
    cells = [cell for cell in notebook.get("In", ()) if cell.startswith(_INJECTED)]
    for line in ast.parse(cells[-1]).body if cells else ():
        if isinstance(line, ast.Assign):
            yield from (target.id for target in line.targets if isinstance(target, ast.Name))
