"""The packages that dnf resolves a recipe to, without downloading or storing them."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf, install_words
from atomic_lib.solve.group_members import group_members, members_to_install
from atomic_lib.solve.resolve import require_fitting
from atomic_lib.solve.solver import Solved, solve
from atomic_lib.solve.solver_errors import solver_error
from atomic_lib.tools.sandbox import Tools


def recipe_packages(recipe: Recipe, content: Content, tools: Tools) -> Mapping[str, Solved]:
    """The packages that a compose of ``recipe`` would install from ``content``, by name.

    Raises WorkbookError as ``resolve_rpm_set`` does.
    """
    require_fitting(recipe, content)
    members = group_members(content.comps(tools), recipe)
    with tempfile.TemporaryDirectory() as scratch:
        dnf = Dnf(tools, content, recipe, Path(scratch))
        try:
            return solve(dnf, install_words(recipe, members_to_install(dnf, members))).packages
        except CommandError as error:
            raise solver_error(dnf, error) from None
