"""Questions on the command line: the text printed, the status, what is refused before anything is made."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.measure.classes import default_class_rules
from atomic_lib.params.variant import variant_from
from atomic_lib.pipeline import why_and_without
from atomic_lib.pipeline.build import classes_expanded, open_build
from atomic_lib.pipeline.why_and_without import plain_text, print_why, print_without
from atomic_lib.report.elements.cells import Cell, number
from atomic_lib.report.elements.table import Table
from atomic_lib.solve.explain.graph import Link
from atomic_lib.solve.explain.without import Departure
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.tools import user_namespace

LEAVES = (LockedPackage("dnf", 0, "4.23", "1", "noarch", "s", 900_000, "r", "Debian (dnf4 4.23-1)"),)

OWN = variant_from({"variant": "own", "method": "ostree", "recipe": "own", "agent": "cloud-init"})


class Answered:
    """A build whose answers are known."""

    sizes = {"dnf": (2_000_000, 11)}  # noqa: RUF012
    generated = (5_000_000, 3)

    rpm_set = SimpleNamespace(lock=Lock("own", LEAVES))

    def why(self, name: str) -> tuple[Any, ...]:
        return ((Link("recipe", "dnf", "dnf"), Link("requires", name, name)),) if name == "librepo" else ()

    def without(self, words: list[str]) -> Departure:
        return Departure(tuple(words), LEAVES, (), (), ("dnf",), (), ())


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why_and_without, "open_build", lambda _: Answered())


@pytest.mark.usefixtures("answered")
def test_why_prints_the_chains(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_why("librepo", OWN) == 0
    assert capsys.readouterr().out.splitlines() == [
        "own: Why librepo is here: 1 chain, the shortest first",
        "entry  links  chain",
        "dnf        2  dnf (recipe) → librepo (requires)",
        "dnf is Debian's dnf4 4.23-1",
    ]


@pytest.mark.usefixtures("answered")
def test_why_says_that_nothing_asks_for_a_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_why("odd", OWN) == 1
    assert "Nothing in the recipe requires it." in capsys.readouterr().out


@pytest.mark.usefixtures("answered")
def test_without_prints_what_leaves_and_what_is_not_predicted(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_without(["dnf"], OWN) == 0
    printed = capsys.readouterr().out
    assert "own: Removed without dnf: 1 package\n" in printed
    assert "2.0\N{NO-BREAK SPACE}MB" in printed
    assert "entries of the recipe removed            dnf\n" in printed
    assert "Not predicted: files that the compose generates" in printed


def test_figures_are_aligned_at_their_end_and_texts_at_their_beginning() -> None:
    table = Table(
        "Sizes", ("name", "files"), ((Cell("a"), number(5, "count")), (Cell("bcdefg"), number(1234, "count")))
    )
    assert plain_text(table) == "Sizes\nname    files\na           5\nbcdefg  1,234"


def test_a_class_stands_for_its_packages_in_the_set() -> None:
    names = ["bash", "python3", "python3-yaml", "dnf"]
    assert classes_expanded("class:python", names, default_class_rules()) == ["python3", "python3-yaml"]
    assert classes_expanded("python3*", names, default_class_rules()) == ["python3*"]


@pytest.mark.parametrize(
    ("word", "message"),
    [("class:snakes", "no class 'snakes'"), ("class:kernel", "no package of the set is of class 'kernel'")],
)
def test_a_class_that_is_unknown_or_empty_is_refused(word: str, message: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        classes_expanded(word, ["bash"], default_class_rules())
    assert caught.value.message == message
    assert caught.value.hint


def test_a_variant_that_is_unknown_is_named() -> None:
    with pytest.raises(WorkbookError, match="unknown variant 'atomic-mni'"):
        open_build("atomic-mni")


def test_outside_of_the_namespace_nothing_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WorkbookError, match="needs a namespace"):
        open_build("atomic-min")
    assert not (tmp_path / "cache").exists()
