"""A variant finds its recipe by method, content and name."""

from pathlib import Path

import pytest

from atomic_lib.errors import WorkbookError
from atomic_lib.params import Variant
from atomic_lib.recipe import load_recipe


def variant(method: str) -> Variant:
    return Variant.model_validate({"variant": "x", "method": method, "recipe": "small", "agent": "cloud-init"})


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["small.yaml", "small.json"])
def test_an_ostree_variant_reads_a_treefile(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "treefiles" / "standin" / name, '{"ref": "a/b", "packages": ["bash"]}')
    recipe = load_recipe(variant("ostree"), tmp_path)
    assert (recipe.files, recipe.ref, recipe.packages) == ((path,), "a/b", ("bash",))


def test_a_traditional_variant_reads_a_kickstart(tmp_path: Path) -> None:
    path = write(tmp_path / "kickstarts" / "standin" / "small.ks", "%packages --nocore\nbash\n%end\n")
    recipe = load_recipe(variant("traditional"), tmp_path)
    assert (recipe.files, recipe.packages) == ((path,), ("bash",))


def test_the_kickstart_is_read_in_the_syntax_version_of_the_variant(tmp_path: Path) -> None:
    write(tmp_path / "kickstarts" / "standin" / "small.ks", "%packages --nocore --inst-langs=en\nbash\n%end\n")
    old = variant("traditional").model_copy(update={"kickstart_version": "F21"})
    assert load_recipe(variant("traditional"), tmp_path).languages == ("en",)
    with pytest.raises(WorkbookError, match="unrecognized arguments: --inst-langs=en"):
        load_recipe(old, tmp_path)


def test_a_missing_recipe_names_the_path_and_what_is_there(tmp_path: Path) -> None:
    write(tmp_path / "kickstarts" / "standin" / "smal.ks", "")
    with pytest.raises(WorkbookError) as caught:
        load_recipe(variant("traditional"), tmp_path)
    directory = tmp_path / "kickstarts" / "standin"
    assert caught.value.message == (
        f"variant 'x': no recipe 'small' (traditional, content 'standin'): there is no {directory / 'small.ks'}"
    )
    assert caught.value.hint == f"{directory} has: smal.ks"


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError) as caught:
        load_recipe(variant("ostree"), tmp_path)
    assert caught.value.hint == f"there is no directory {tmp_path / 'treefiles' / 'standin'}"


def test_two_treefiles_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("small.yaml", "small.json"):
        write(tmp_path / "treefiles" / "standin" / name, "{}")
    with pytest.raises(WorkbookError, match="recipe 'small' is ambiguous"):
        load_recipe(variant("ostree"), tmp_path)
