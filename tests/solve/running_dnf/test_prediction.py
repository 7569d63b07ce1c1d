"""The bytes of a prediction: by the headers of RPM files, and by the index where there is no file."""

from pathlib import Path

import pytest

from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.graph import Package
from atomic_lib.solve.running_dnf.described import Described
from atomic_lib.solve.running_dnf.prediction import Prediction
from atomic_lib.solve.solver import Solved


@pytest.mark.parametrize(("documentation", "expected_bytes"), [(True, 900 + 50), (False, 700 + 50)])
def test_documentation_is_left_out_where_the_recipe_says_so(documentation: bool, expected_bytes: int) -> None:
    recipe = Recipe((Path("r.yaml"),), ("here", "elsewhere"), documentation=documentation)
    packages = {"here": Solved("here", "here-1", 10, 1000), "elsewhere": Solved("elsewhere", "elsewhere-1", 20, 50)}
    described = {
        "here": Described(Package("here"), "", 900, 200, ()),
        "elsewhere": Described(Package("elsewhere"), "", None, None, None),
    }
    found = Prediction(recipe, packages, described, ())
    assert found.installed_bytes == expected_bytes
    assert found.download_bytes == 30
