"""The bytes of a prediction: by the headers of RPM files, and by the index where there is no file."""

from pathlib import Path

import pytest

from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.graph import Package
from atomic_lib.solve.running_dnf.described import Described, FilesTogether
from atomic_lib.solve.running_dnf.prediction import Prediction
from atomic_lib.solve.solver import Solved

CONTENT = (
    FilesTogether(False, "", 500),
    FilesTogether(False, "de", 100),
    FilesTogether(False, "en|fr", 30),
    FilesTogether(True, "", 7),
    FilesTogether(True, "de", 2),
)


@pytest.mark.parametrize(
    ("documentation", "languages", "expected_bytes"),
    [
        (True, None, 639),
        (False, None, 630),
        (True, ("en",), 537),
        (False, ("en_US", "de_DE"), 630),  # a file in "en" belongs to "en_US"
        (False, ("C",), 500),
        (False, (), 500),
        (False, ("all",), 630),
        (True, ("de",), 609),
    ],
)
def test_what_the_recipe_leaves_out_is_not_counted(
    documentation: bool, languages: tuple[str, ...] | None, expected_bytes: int
) -> None:
    recipe = Recipe((Path("r.yaml"),), ("here", "elsewhere"), documentation=documentation, languages=languages)
    packages = {"here": Solved("here", "here-1", 10, 1000), "elsewhere": Solved("elsewhere", "elsewhere-1", 20, 50)}
    described = {
        "here": Described(Package("here"), "", CONTENT, ()),
        "elsewhere": Described(Package("elsewhere"), "", None, None),
    }
    found = Prediction(recipe, packages, described, ())
    assert found.installed_bytes == expected_bytes + 50
    assert found.download_bytes == 30


def test_a_language_of_which_files_have_only_a_part_is_not_installed() -> None:
    assert not FilesTogether(False, "en_GB", 1).is_installed(True, ("en",))
    assert FilesTogether(False, "en", 1).is_installed(True, ("en_GB",))
