"""Repositories in the directory of a treefile: which it uses, and what becomes of them with each content."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.treefile import read_treefile

MINIMAL = "ref: atomic/x86_64/minimal\npackages: [bash]\n"
ONE = "[one]\nbaseurl=https://a.example/$stream/\ngpgkey=https://a.example/key\n"
TWO = "[two]\nbaseurl=https://b.example/\nenabled=0\n"


def recipe_of(directory: Path, text: str = "", **files: str) -> Recipe:
    for name, content in {"one": ONE, "two": TWO, **files}.items():
        (directory / f"{name}.repo").write_text(content)
    (directory / "a.yaml").write_text(MINIMAL + text)
    return read_treefile(directory / "a.yaml")


def refusal(directory: Path, text: str = "", **files: str) -> list[str]:
    with pytest.raises(WorkbookError) as caught:
        recipe_of(directory, text, **files)
    return caught.value.message.replace(f"{directory}/", "").splitlines()


def test_the_repositories_that_it_names_are_used_with_its_variables(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, "repos: [one, standin]\nlockfile-repos: [two]\nrepovars: {stream: next}\n")
    assert [one.name for one in recipe.repositories] == ["one", "two"]
    assert recipe.repositories[0].baseurl == ("https://a.example/next/",)
    assert (recipe.repos, recipe.lockfile_repos) == (("one", "standin"), ("two",))
    assert recipe.files == (tmp_path / "a.yaml", tmp_path / "one.repo", tmp_path / "two.repo")


def test_repositories_of_a_lockfile_are_none_of_a_treefile_that_names_no_others(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, "lockfile-repos: [two]\nrepovars: {stream: next}\n")
    assert (recipe.repos, recipe.lockfile_repos) == (("one",), ("two",))


def test_variables_of_an_included_file_join_those_of_the_including_one(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("repovars: {stream: base, own: base}\n")
    recipe = recipe_of(tmp_path, "include: base.yaml\nrepovars: {own: top}\n", one=ONE + "excludepkgs=$own\n")
    assert recipe.repositories[0].baseurl == ("https://a.example/base/",)
    assert recipe.repositories[0].excludepkgs == ("top",)


def test_without_names_those_are_used_that_are_enabled(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path)
    assert recipe.repos == ("one",)
    assert [one.name for one in recipe.repositories] == ["one"]


def test_what_it_does_not_use_need_not_be_usable_but_must_be_readable(tmp_path: Path) -> None:
    assert recipe_of(tmp_path, "repos: [standin]\n", two="[two]\n").repositories == ()
    assert refusal(tmp_path, "repos: [standin]\n", two="nothing\n") == [
        "two.repo:1: 'nothing' is neither a [section] nor NAME=VALUE in one"
    ]


def test_two_repositories_of_one_id_and_other_problems_are_named_in_one_run(tmp_path: Path) -> None:
    text = "repos: [one]\nselinux: 3\nrepovars: {basearch: x}\n"
    assert refusal(tmp_path, text, two=ONE) == [
        "a.yaml:4: selinux: must be true or false, not 3",
        "a.yaml:5: repovars: 'basearch' has a value already",
        "two.repo:1: [one]: one.repo:1 has a repository of this id, too",
    ]


def test_a_link_out_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text(ONE)
    (tmp_path / "own").mkdir()
    (tmp_path / "own/three.repo").symlink_to("../outside")
    assert "is outside of the recipe's directory" in refusal(tmp_path / "own")[0]


def test_an_option_of_another_form_and_one_without_effect_are_told(tmp_path: Path) -> None:
    assert refusal(tmp_path, one=ONE + "cost=much\n", two="[two]\nenabled=perhaps\n") == [
        "one.repo:1: [one]: cost='much': accepted: a whole number",
        "two.repo:1: [two]: enabled='perhaps': accepted: 1, yes, true, on, 0, no, false, off",
    ]
    assert recipe_of(tmp_path, one=ONE + "gpgcheck=0\n", two=TWO).notes == (
        "one.repo:1: [one]: gpgcheck=0 has no effect: signatures are always checked",
    )
