"""Where a recipe names a word, and which files it may name."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.load import read_recipe
from atomic_lib.recipe.origins import place_of
from atomic_lib.recipe.recipe import Recipe


def test_a_recipe_may_include_what_is_in_its_repository_but_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    own = tmp_path / "a/own.yaml"
    own.parent.mkdir()
    own.write_text("include: ../base.yaml\nref: own\n")
    (tmp_path / "base.yaml").write_text("packages: [bash]\n")
    assert read_recipe(own).packages == ("bash",)
    (tmp_path / ".git").rmdir()
    with pytest.raises(WorkbookError, match="outside of the recipe's directory"):
        read_recipe(own)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("bash\n")
    with pytest.raises(WorkbookError, match=r"own\.txt: the suffix does not say what it is") as caught:
        read_recipe(tmp_path / "own.txt")
    assert caught.value.hint == "accepted: .yaml, .yml, .json or .ks"


def test_the_first_place_of_a_word_is_outside_of_comments_and_a_whole_word(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"\xff\xfe")
    (tmp_path / "own.yaml").write_text("# tar\nref: own/tar/host\npackages:\n  - tar-split\n  - tar\n")
    recipe = Recipe(files=(tmp_path / "picture", tmp_path / "own.yaml"), packages=("tar",))
    assert place_of("tar", recipe) == f"{tmp_path}/own.yaml:5"
    assert place_of("gzip", recipe) == f"{tmp_path}/picture"


def test_a_form_feed_before_a_word_is_no_line(tmp_path: Path) -> None:
    (tmp_path / "own.ks").write_text("%post\necho 'one\ftwo'\n%end\n%packages\ntar\n%end\n")
    recipe = Recipe(files=(tmp_path / "own.ks",), packages=("tar",))
    assert place_of("tar", recipe) == f"{tmp_path}/own.ks:5"
