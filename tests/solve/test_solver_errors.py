"""What an error says of dnf's own: which entry of the recipe it is about, and the line that it repeats."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.solver_errors import reason_of, solver_error

TWO_PROBLEMS = """
Last metadata expiration check: 0:00:01 ago.
Error:
 Problem 1: conflicting requests
  - nothing provides libfoo.so.1 needed by foo-1-1.x86_64
 Problem 2: package bar-2-1.noarch conflicts with baz provided by baz-1-1.noarch
  - conflicting requests
  - package quux-1-1.noarch requires bar, but none of the providers can be installed
(try to add '--allowerasing' to command line to replace conflicting packages or '--skip-broken' to skip)
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (TWO_PROBLEMS, ": package quux-1-1.noarch requires bar, but none of the providers can be installed"),
        ("Error:\n Problem: a conflicts with b\n", ": Problem: a conflicts with b"),
        ("Error: \n", ""),
        ("", ""),
        ("x" * 9000, ": " + "x" * 500),
    ],
)
def test_the_reason_is_the_last_line_that_names_a_package(output: str, reason: str) -> None:
    assert reason_of(output) == reason


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("No match for argument: podman >= 9 \n", "own.yaml:4: content 'standin' has no package 'podman >= 9'"),
        ("No match for argument: vmi\n", "own.yaml:3: content 'standin' has no package 'vmi'"),
        (
            "All matches were filtered out by exclude filtering for argument: podman >= 9\n",
            "own.yaml:4: content 'standin' has 'podman >= 9' only in a version that is not locked, or in one of "
            "lockfile-repos",
        ),
    ],
)
def test_an_entry_is_named_as_the_recipe_has_it(tmp_path: Path, said: str, message: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("ref: own\npackages:\n  - vmi\n  - 'podman >= 9'\n")
    recipe = Recipe(files=(file,), packages=("vmi", "podman >= 9"))
    dnf = SimpleNamespace(recipe=recipe, content=SimpleNamespace(name="standin"), locked=())
    error = CommandError("dnf: exit status 1")
    error.status, error.stderr = 1, f"{said}Error: Unable to find a match\n"
    assert solver_error(cast(Dnf, dnf), error).message == f"{tmp_path}/{message}"


NO_MIRROR = "Error: Error downloading packages:\n  a-1-1.x: Cannot download, all mirrors were already tried\n"


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        (
            f"[MIRROR] a.rpm: Status code: 404 for https://m/a.rpm\n{NO_MIRROR}",
            "content 'own': a download failed: a.rpm: Status code: 404 for https://m/a.rpm",
            "run again, with the packages that the mirrors have now; finished stages are kept",
        ),
        (
            f"[MIRROR] a.rpm: Curl error (18): Transferred a partial file\n{NO_MIRROR}",
            "content 'own': a download failed: a.rpm: Curl error (18): Transferred a partial file",
            "check the network and run again; finished stages are kept",
        ),
        (
            "Status code: 404 for https://m/KEY (IP: ::1)\n",
            "a key of content 'own' cannot be had: Status code: 404 for https://m/KEY (IP: ::1)",
            "correct gpgkey= in the repository file, or check the network and run again",
        ),
    ],
)
def test_what_cannot_be_fetched_is_named_with_its_reason(said: str, message: str, hint: str) -> None:
    recipe = Recipe(files=(Path("own.yaml"),), packages=("a",))
    dnf = SimpleNamespace(recipe=recipe, content=SimpleNamespace(name="own"), locked=None)
    error = CommandError("dnf: exit status 1")
    error.status, error.stderr = 1, said
    found = solver_error(cast(Dnf, dnf), error)
    assert (found.message, found.hint) == (f"own.yaml: {message}", hint)
