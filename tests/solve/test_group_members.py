"""Members of groups: which are installed, without dnf; with the real dnf it is an integration test."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve import group_members as module
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.group_members import GroupMembers, members_to_install
from atomic_lib.solve.solver import Solution

MEMBERS = GroupMembers(
    ("bash", "absent"), (("lang", "bash"), ("second", "lang"), ("other", "vim"), ("gone", "bash"), ("barred", "bash"))
)


@dataclass
class OwnDnf:
    """A dnf whose content has a few packages."""

    recipe: Recipe = field(default_factory=lambda: Recipe(files=(Path("a.ks"),), packages=(), excludes=("barred",)))
    asked: list[list[str]] = field(default_factory=list)

    def run(self, words: list[str]) -> str:
        assert words == ["-q", "repoquery", "--qf", "%{name}"]
        return "bash\nlang\nsecond\nother\nbarred\n"

    @property
    def content(self) -> object:
        return type("Content", (), {"name": "own"})


def test_a_condition_may_be_met_by_another_conditional_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dnf = OwnDnf()

    def solve(_: object, words: list[str], *, conditions: list[str]) -> Solution:
        dnf.asked.append(words)
        return Solution({}, frozenset(), frozenset(conditions) & frozenset(words))

    monkeypatch.setattr(module, "solve", solve)
    assert members_to_install(cast(Dnf, dnf), MEMBERS) == ["bash", "barred", "lang", "second"]
    assert dnf.asked == [
        ["--exclude=barred", "install", "bash"],
        ["--exclude=barred", "install", "bash", "lang"],
        ["--exclude=barred", "install", "bash", "lang", "second"],
    ]
    assert "does not have it although a group names it: absent" in capsys.readouterr().err


def test_members_of_a_set_are_those_whose_condition_it_meets() -> None:
    assert MEMBERS.among(["bash", "lang", "other"], ["bash", "lang"]) == ["bash", "lang"]
    assert MEMBERS.among(["bash", "lang", "other"], ["bash", "vim"]) == ["bash", "lang", "other"]
    assert MEMBERS.conditions == ["bash", "lang", "vim"]
