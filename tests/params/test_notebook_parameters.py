"""The parameters of notebooks: papermill checks no types, and of an unknown one it only warns."""

import ast
import json
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import NOTEBOOKS
from atomic_lib.params.notebook_parameters import check_parameters

CELL = 'variant: str = "atomic-min"\nversions: int = 5\nswarm: bool = False\nagent: object = None\n'


def executed(*cells: str) -> dict[str, Any]:
    """The globals of a notebook whose cells ran, as IPython keeps them."""
    names: dict[str, Any] = {"In": ["", *cells], "other": 1}
    for cell in cells:
        exec(cell, names)
    return names


def refusal(*cells: str) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        check_parameters(executed(CELL, *cells))
    return caught.value


@pytest.mark.parametrize(
    "cell", ["", "# Parameters\nswarm = True\nversions = 2\nagent = 'x'\n", "own = 'not injected'"]
)
def test_parameters_of_their_types_are_taken(cell: str) -> None:
    check_parameters(executed(CELL, cell))


@pytest.mark.parametrize("value", ["'false'", "'true'", "''", "0", "1", "None"])
def test_only_a_truth_value_is_one_and_the_spelling_of_papermill_is_said(value: str) -> None:
    error = refusal(f"# Parameters\nswarm = {value}\n")
    assert error.message == f"parameters: swarm: {value} is not accepted: must be true or false"
    assert "-p NAME True" in error.hint


@pytest.mark.parametrize(("name", "value", "kind"), [
    ("variant", "5", "text (in quotes, if it looks like a number)"), ("variant", "None", "text (in quotes"),
    ("variant", "['a']", "text"), ("versions", "'5'", "a whole number"), ("versions", "None", "a whole number"),
    ("versions", "True", "a whole number"),
])  # fmt: skip
def test_a_value_of_another_type_is_refused_by_name(name: str, value: str, kind: str) -> None:
    assert refusal(f"{name} = {value}").message.startswith(
        f"parameters: {name}: {value} is not accepted: must be {kind}"
    )


def test_what_papermill_injects_must_be_a_parameter() -> None:
    error = refusal("# Parameters\nvariant = 'x'\nverisons = 2\n")
    assert error.message == "parameters: unknown key 'verisons' (did you mean 'versions'?)"
    assert error.hint == "known keys: agent, swarm, variant, versions"


def test_the_newest_injected_cell_counts() -> None:
    check_parameters(executed(CELL, "# Parameters\nverisons = 2\n", "# Parameters\nversions = 2\n"))


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_every_notebook_checks_its_parameters_before_all_else(path: Any) -> None:
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    place = next(n for n, cell in enumerate(cells) if "parameters" in cell["metadata"].get("tags", ()))
    lines = ast.parse("".join(cells[place + 1]["source"])).body
    first = next(line for line in lines if not isinstance(line, ast.ImportFrom | ast.Import))
    assert ast.unparse(first) == "check_parameters(globals())"
