"""Words of recipes, groups and locks that a command would take for something else are refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import install_words
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.words import require_plain

PACKAGE = LockedPackage("libstdc++", 0, "2~rc1^3", "4.fc41", "x86_64", "a" * 64, 1, "r")
ODD = ["-y", "--nogpgcheck", "--", "-", "", " a", "@core", "a\nb", "a\0", "\x7f", "a\x1b[2J"]


def recipe(packages: tuple[str, ...] = (), excludes: tuple[str, ...] = ()) -> Recipe:
    return Recipe(files=(Path("own.yaml"),), packages=packages, excludes=excludes)


@pytest.mark.parametrize("word", [*ODD, "http://host/a.rpm", "file:///mnt/a", "/mnt/root/a.rpm", "a.rpm"])
def test_a_package_that_is_no_name_is_refused_from_recipes_and_groups(word: str) -> None:
    for words in (recipe((word,)), ()), (recipe(), (word,)):
        with pytest.raises(WorkbookError) as caught:
            install_words(*words)
        assert caught.value.message == f"own.yaml: {word!r} is not the name of a package"


@pytest.mark.parametrize("word", [*ODD, "a,b", "a b"])
def test_an_exclude_is_one_name_or_pattern(word: str) -> None:
    with pytest.raises(WorkbookError, match="is not the name of a package"):
        install_words(recipe((), (word,)), ())


def test_names_patterns_files_and_requirements_are_taken_as_they_are() -> None:
    words = (
        "*",
        "podman >= 4.1",
        "python3-[!x]?",
        "/usr/bin/sh",
        "perl(Foo::Bar)",
        "(a if b)",
        "a.rpm.b",
        "$HOME",
        ";ls",
    )
    assert install_words(recipe(words, ("kernel*",)), ()) == ["--exclude=kernel*", "install", *sorted(words)]


def test_a_plain_lock_is_accepted() -> None:
    require_plain(Lock("c", (PACKAGE,)), "own.json")


@pytest.mark.parametrize(
    "change",
    [{"name": "-y"}, {"name": "../../etc/x"}, {"name": "a\nb"}, {"name": "a b"}, {"name": ""}, {"name": 1},
     {"version": "1-2"}, {"version": "1/2"}, {"release": "*,b"}, {"arch": "x 86"}, {"sha256": "../x"},
     {"sha256": "A" * 64}, {"epoch": "0"}, {"epoch": -1}],
)  # fmt: skip
def test_a_locked_package_that_rpm_would_not_make_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(WorkbookError, match=r"^own\.json: (name|version|release|arch|sha256|epoch) .* of a package"):
        require_plain(Lock("c", (replace(PACKAGE, **change),)), "own.json")
