"""Variants of a sweep, composed: the bytes predicted are those in the tree; a dnf that is killed changes nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.store import Store, remove_tree
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.install import Installation, install
from atomic_lib.compose.rpm_database import file_owners
from atomic_lib.compose.tree_access.walk import walk_tree
from atomic_lib.content.comps import Comps
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.measure.footprint import measure_footprint
from atomic_lib.params.sweep_file import SweepCell
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.sweep import engine
from atomic_lib.pipeline.sweep.sweep_solving import SweepContent
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.results.sweep_result import SolvedVariant
from atomic_lib.solve.explain.without import reduced_recipe
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.solve.running_dnf.prediction import Resolved, resolve
from atomic_lib.solve.running_dnf.solver_process import RunningDnf
from atomic_lib.tools.context import Context, open_context

pytestmark = pytest.mark.integration

RECIPE = "ref: tiny\nrecommends: false\npackages:\n  - bash less\n"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """The tools and the cache, with a store of the test's own, which is removed at once as trees are large."""
    yield replace(open_context(), store=Store(tmp_path / "store"))
    remove_tree(tmp_path / "store")


def tiny_cells(directory: Path) -> list[SweepCell]:
    """A base of two packages, with one more and documentation, and without one of the two."""
    cells = []
    for name, documentation, add, exclude in (
        ("base", "false", (), ()),
        ("more", "true", ("sudo",), ()),
        ("less", "false", (), ("less",)),
    ):
        file = directory / f"{documentation}.yaml"
        file.write_text(f"{RECIPE}documentation: {documentation}\n")
        variant = load_variant("atomic").model_copy(update={"recipe_file": str(file)})
        cells.append(SweepCell(name, {"size": name}, variant, add, exclude))
    return cells


def content_bytes(directory: Path, recipe: Recipe, content: SweepContent, context: Context) -> int:
    """The bytes of all files of packages in a tree of the recipe."""
    rpm_set = resolve_rpm_set(recipe, content.content, context, name="tiny", lock_file=None)
    tree = Installroot(context.tools, directory / "root", 0)
    installation = Installation(recipe, content.content, rpm_set, read_headers(context.tools, rpm_set.directory))
    install(tree, installation, context, name="tiny", log=directory / "log")
    names = [package.name for package in rpm_set.lock.packages]
    footprint = measure_footprint(walk_tree(tree.root), file_owners(tree), names)
    return sum(owned.bytes for owned in footprint.packages.values())


def test_the_bytes_predicted_are_those_of_the_packages_in_the_tree(tmp_path: Path, context: Context) -> None:
    cells = tiny_cells(tmp_path)
    content = SweepContent(cells, context)
    solved = content.solved(cells)
    assert solved["less"].removed == ("less",)
    for cell in cells:
        request, found = content.request(cell), solved[cell.name]
        recipe = reduced_recipe(request.recipe, request.excluded, found.removed, ())
        (tmp_path / cell.name).mkdir()
        assert content_bytes(tmp_path / cell.name, recipe, content, context) == found.installed_bytes, cell.name
    assert len({one.installed_bytes for one in solved.values()}) == len(cells)


def test_a_dnf_that_is_killed_changes_nothing(
    tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = tiny_cells(tmp_path)
    content = SweepContent(cells, context)
    whole = dict(content.solved(cells))
    killed: list[RunningDnf] = []

    def killing(dnf: RunningDnf, comps: Iterable[Comps], *, excluded: tuple[str, ...]) -> Resolved:
        if not killed:
            killed.append(dnf)
            dnf.process._process.kill()
        return resolve(dnf, comps, excluded=excluded)

    monkeypatch.setattr(engine, "resolve", killing)
    other = SweepContent(cells, replace(context, store=Store(tmp_path / "store/other")))
    again: dict[str, SolvedVariant] = dict(other.solved(cells))
    assert killed
    assert again == whole
