"""Predictions: their bytes, by the headers of RPM files or else by the index, and how often dnf is asked for one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.graph import Package
from atomic_lib.solve.running_dnf import prediction
from atomic_lib.solve.running_dnf.described import Described, FilesTogether
from atomic_lib.solve.running_dnf.prediction import Prediction, resolve
from atomic_lib.solve.running_dnf.solver_process import RunningDnf
from atomic_lib.solve.solver import Solution, Solved

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


@dataclass
class Questions:
    """A dnf whose content has bash, which needs ncurses, sudo, and vi, which provides editor; and what it was asked."""

    recipe: Recipe
    content: object = None
    asked: list[tuple[list[str], bool]] = field(default_factory=list)
    fault: CommandError | None = None
    unmet: frozenset[str] = frozenset()

    def unmatched(self, words: Sequence[str]) -> set[str]:
        excluded, names = _parts(words)
        provided = {"bash", "ncurses", "sudo", "vi", *(() if "vi" in excluded else ("editor",))} - excluded
        return set(names) - provided

    def solve(self, words: Sequence[str]) -> Solution:
        optional = "--setopt=strict=0" in words
        excluded, names = _parts(words)
        self.asked.append((names, optional))
        if self.fault and not optional:
            fault, self.fault = self.fault, None
            raise fault
        unmet = {name for name in names if name in excluded or (name == "bash" and "ncurses" in excluded)}
        if unmet and not optional:
            raise failed(1)
        more, self.unmet = self.unmet, frozenset()
        found = {name: Solved(name, f"{name}-1", 1, 1) for name in names if name not in unmet}
        return Solution(found, frozenset(unmet | more))


def _parts(words: Sequence[str]) -> tuple[set[str], list[str]]:
    """What dnf's arguments exclude, and what they install."""
    excludes = [word.partition("=")[2].split(",") for word in words if word.startswith("--exclude=")]
    return {name for one in excludes for name in one}, list(words[list(words).index("install") + 1 :])


def failed(status: int) -> CommandError:
    error = CommandError(f"dnf install: exit status {status}")
    error.status = status
    return error


@pytest.fixture
def dnf(monkeypatch: pytest.MonkeyPatch) -> Questions:
    asked = Questions(Recipe((Path("r.yaml"),), ("bash", "sudo", "editor")))
    monkeypatch.setattr(prediction, "require_fitting", lambda *_: None)
    monkeypatch.setattr(prediction, "solve", lambda dnf, words: dnf.solve(words))
    return asked


def resolved(dnf: Questions, *excluded: str) -> tuple[set[str], tuple[str, ...]]:
    found = resolve(cast(RunningDnf, dnf), (), excluded=excluded)
    return set(found.packages), found.removed


def test_without_an_entry_dnf_is_asked_once(dnf: Questions) -> None:
    assert resolved(dnf, "sudo") == ({"bash", "editor"}, ("sudo",))
    assert dnf.asked == [(["bash", "editor"], False)]


def test_an_entry_that_nothing_else_provides_goes_with_it(dnf: Questions) -> None:
    assert resolved(dnf, "vi") == ({"bash", "sudo"}, ("editor",))
    assert len(dnf.asked) == 1


def test_without_what_an_entry_requires_dnf_is_asked_what_has_to_go(dnf: Questions) -> None:
    assert resolved(dnf, "ncurses") == ({"sudo", "editor"}, ("bash",))
    assert [optional for _, optional in dnf.asked] == [True, False]


@pytest.mark.parametrize("also", ["another entry has to go", "an entry is met by another package"])
def test_if_more_has_to_go_dnf_is_asked_what(dnf: Questions, also: str) -> None:
    if also == "another entry has to go":
        assert resolved(dnf, "sudo", "ncurses") == ({"editor"}, ("bash", "sudo"))
    else:
        dnf.unmet = frozenset({"bash"})
        assert resolved(dnf, "sudo") == ({"bash", "editor"}, ("sudo",))
    assert [optional for _, optional in dnf.asked] == [False, True, False]


def test_a_dnf_that_dies_is_not_taken_for_one_without_a_solution(dnf: Questions) -> None:
    dnf.fault = failed(-9)
    with pytest.raises(CommandError, match="exit status -9"):
        resolved(dnf, "sudo")
    assert len(dnf.asked) == 1
