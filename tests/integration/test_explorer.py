"""Choices answered by the long-running dnf, held against the dnf of a compose; and a saved variant read again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.build import open_build
from atomic_lib.pipeline.explore.explorer import Explorer, open_explorer
from atomic_lib.solve.recipe_packages import recipe_packages
from tests.integration.test_build_and_boot import papermill

pytestmark = pytest.mark.integration

NAME = "atomic-min"
MOST_SECONDS = 2.0


@pytest.fixture(scope="module")
def explorer() -> Iterator[Explorer]:
    with open_explorer(NAME) as opened:
        opened.answer()
        yield opened


def test_the_unchanged_variant_has_the_packages_of_its_compose(explorer: Explorer) -> None:
    build = open_build(NAME)
    composed = recipe_packages(build.recipe, build.content, build.context.tools)
    assert explorer.answer().after.packages == composed


def test_an_answer_takes_less_than_two_seconds_and_is_that_of_dnf(explorer: Explorer) -> None:
    answer = explorer.answer(exclude=["sudo"], documentation=True)
    assert answer.changes.removed == ["sudo"]
    assert answer.after.removed == ("sudo",)
    assert answer.after.installed_bytes > answer.changes.before.installed_bytes  # documentation is in it
    build = open_build(NAME)
    assert answer.after.packages == recipe_packages(answer.after.recipe, build.content, build.context.tools)
    assert answer.seconds < MOST_SECONDS


def test_chains_begin_at_the_recipe(explorer: Explorer) -> None:
    answer = explorer.answer()
    assert all(chain[0].kind == "recipe" for chain in answer.why("openssl-libs"))
    assert answer.after.chains.keys() == answer.after.packages.keys()


def test_the_guards_of_the_unchanged_variant_hold(explorer: Explorer) -> None:
    assert [guard for guard in explorer.answer().guards if guard.verdict == "broken"] == []


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"agent": "cloud-int"}, "agent: 'cloud-int' is not accepted (did you mean 'cloud-init'?)"),
        ({"add": ["--installroot=/"]}, "add: '--installroot=/' is not the name of a package"),
        ({"exclude": ["a,b"]}, "exclude: 'a,b' is not the name of a package"),
        ({"content": "nope"}, "nope"),
    ],
)
def test_what_is_not_accepted_is_refused(explorer: Explorer, choice: dict[str, object], said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        explorer.answer(**choice)  # type: ignore[arg-type]
    assert said in caught.value.message


def test_the_dnf_ends_with_the_session() -> None:
    with open_explorer(NAME) as opened:
        opened.answer()
        process = opened._opened[0].dnf.process._process
        assert process.poll() is None
    assert process.poll() is not None


def test_a_dnf_that_was_killed_is_started_again() -> None:
    with open_explorer(NAME) as opened:
        packages = opened.answer().after.packages
        process = opened._opened[0].dnf.process._process
        process.kill()
        process.wait(10)
        assert opened.answer(documentation=True).after.packages == packages


def test_the_notebook_answers_as_it_is(tmp_path: Path) -> None:
    output = tmp_path / "explore.ipynb"
    papermill("explore.ipynb", output)
    shown = output.read_text()
    assert "What the choices change" in shown
    assert "Why openssl-libs is here" in shown
