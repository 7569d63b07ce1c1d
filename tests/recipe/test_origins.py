"""Where the entries of a recipe come from."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.load import read_recipe
from atomic_lib.recipe.origins import origins_of, place_of
from atomic_lib.recipe.recipe import Recipe


def test_entries_of_a_treefile_are_found_in_the_files_that_name_them(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "# bash\npackages:\n  - bash tar\n  - \"'podman >= 4.1'\"\nunits: [sshd.service]\n"
    )
    (tmp_path / "own.yaml").write_text("ref: own\ninclude: base.yaml\npackages: [nano]\nexclude-packages:\n- vim\n")
    found = {name: [place.rpartition("/")[2] for place in places]
             for name, places in origins_of(read_recipe(tmp_path / "own.yaml")).items()}  # fmt: skip
    assert found == {
        "bash": ["base.yaml:3"], "tar": ["base.yaml:3"], "podman >= 4.1": ["base.yaml:4"], "nano": ["own.yaml:3"],
        "vim": ["own.yaml:5"], "sshd.service": ["base.yaml:5"],
    }  # fmt: skip


def test_entries_of_json_with_tabs_are_found(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{\t"ref": "own",\n\t"packages": ["bash",\n\t\t"tar"]}\n')
    found = origins_of(read_recipe(tmp_path / "own.json"))
    assert found == {"bash": (f"{tmp_path}/own.json:2",), "tar": (f"{tmp_path}/own.json:3",)}


def test_entries_of_a_kickstart_are_found_but_not_in_comments(tmp_path: Path) -> None:
    (tmp_path / "own.ks").write_text(
        "services --enabled=sshd,chronyd\n%packages\n@core  # tar\ntar\n-nano\n%end\n", encoding="utf-8"
    )
    found = {
        name: places[0].rpartition(":")[2] for name, places in origins_of(read_recipe(tmp_path / "own.ks")).items()
    }
    assert found == {"sshd.service": "1", "chronyd.service": "1", "core": "3", "tar": "4", "nano": "5"}


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
    (tmp_path / "own.yaml").write_text("# tar\npackages:\n  - tar-split\n  - tar\n")
    recipe = Recipe(files=(tmp_path / "picture", tmp_path / "own.yaml"), packages=("tar",))
    assert place_of("tar", recipe) == f"{tmp_path}/own.yaml:4"
    assert place_of("gzip", recipe) == f"{tmp_path}/picture"


def test_a_form_feed_before_a_word_is_no_line(tmp_path: Path) -> None:
    (tmp_path / "own.ks").write_text("%post\necho 'one\ftwo'\n%end\n%packages\ntar\n%end\n")
    recipe = Recipe(files=(tmp_path / "own.ks",), packages=("tar",))
    assert place_of("tar", recipe) == f"{tmp_path}/own.ks:5"
