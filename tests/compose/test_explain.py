"""Why a package is needed: capabilities parsed, the shortest chain found."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from atomic_lib.compose.explain import (
    Requirements,
    capability_names,
    explain_excluded,
    parse_requirements,
    shortest_chain,
)
from atomic_lib.recipe.model import Recipe

# What dnf repoquery answers in the format asked for.
LISTING = """\
package app
requires
base-files
(runtime >= 3.1 or other-runtime)
libc.so.6(GLIBC_2.34)(64bit)

provides
app = 1-1
end
package glue
requires
python3
provides
runtime = 3.2
glue = 1-1
end
package python3-minimal
requires

provides
python3 = 3.13-1
python3-minimal = 3.13-1
end
package base-files
requires

provides
base-files = 13-0
end
"""
RECIPE = Recipe(files=(Path("a.yaml"),), packages=("base-files", "app"), excludes=("python3*",))


def requirements(**packages: str) -> dict[str, Requirements]:
    """Packages that require the names given and provide their own."""
    return {name: Requirements(frozenset(words.split()), frozenset({name})) for name, words in packages.items()}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("bash", ["bash"]),
        ("bash >= 5.2-1", ["bash"]),
        ("libc.so.6(GLIBC_2.34)(64bit)", ["libc.so.6(GLIBC_2.34)(64bit)"]),
        ("/bin/sh", ["/bin/sh"]),
        ("(a or b)", ["a", "b"]),
        ("(a >= 1:2-3 or b < 4)", ["a", "b"]),
        ("((a and b) if c else d)", ["a", "b", "c", "d"]),
        ("", []),
        ("   ", []),
    ],
)
def test_names_in_a_capability(text: str, names: list[str]) -> None:
    assert capability_names(text) == names


def test_the_listing_of_dnf_is_read() -> None:
    packages = parse_requirements(LISTING.splitlines())
    assert list(packages) == ["app", "glue", "python3-minimal", "base-files"]
    assert packages["app"].requires == {
        "base-files", "runtime", "other-runtime", "libc.so.6(GLIBC_2.34)(64bit)",
    }  # fmt: skip
    assert packages["glue"].provides == {"runtime", "glue"}
    assert packages["base-files"].requires == frozenset()


def test_a_listing_cut_off_has_only_whole_packages() -> None:
    lines = LISTING.splitlines()
    assert list(parse_requirements(lines[: lines.index("package python3-minimal") + 2])) == ["app", "glue"]


def test_the_chain_goes_through_what_others_provide_rich_ones_too() -> None:
    packages = parse_requirements(LISTING.splitlines())
    assert shortest_chain(packages, ["base-files", "app"], ["python3*"]) == ["app", "glue", "python3-minimal"]


def test_the_shortest_chain_wins_and_a_circle_ends() -> None:
    packages = requirements(a="b c", b="a d", c="bad", d="bad", bad="a")
    assert shortest_chain(packages, ["a"], ["bad"]) == ["a", "c", "bad"]
    assert shortest_chain(packages, ["b", "a"], ["bad"]) == ["b", "d", "bad"]


def test_an_entry_that_is_itself_excluded_is_the_chain() -> None:
    assert shortest_chain(requirements(dnf=""), ["dnf"], ["dnf*"]) == ["dnf"]


@pytest.mark.parametrize(("starts", "excluded"), [(["a"], ["x"]), (["unknown"], ["bad"]), ([], ["bad"]), (["a"], [])])
def test_no_chain(starts: list[str], excluded: list[str]) -> None:
    assert shortest_chain(requirements(a="b missing", b="", bad=""), starts, excluded) == []


def test_dnf_is_asked_only_where_something_is_excluded() -> None:
    asked: list[Sequence[str]] = []

    def answer(words: Sequence[str]) -> str:
        asked.append(words)
        return LISTING

    assert explain_excluded(Recipe(files=(), packages=("app",)), answer) == []
    assert asked == []
    assert explain_excluded(RECIPE, answer) == ["app", "glue", "python3-minimal"]
    assert [words[:2] for words in asked] == [["-q", "repoquery"]]
