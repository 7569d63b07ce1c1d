"""What ./workbook update hands to its notebook."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from atomic_lib.cli import main
from atomic_lib.guest.refusals.update_cases import CASES
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.pages.notebook_page import NotebookPage
from atomic_lib.pipeline.update import update_run, variant_update
from atomic_lib.tools import user_namespace
from tests.contexts import own_context


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[NotebookPage, Mapping[str, object]]]:
    """The pages that would be made."""
    pages: list[tuple[NotebookPage, Mapping[str, object]]] = []

    def publish(page: NotebookPage, parameters: Mapping[str, object], _: Path) -> int:
        pages.append((page, parameters))
        return 0

    monkeypatch.setattr(update_run, "publish_notebook", publish)
    monkeypatch.setattr(variant_update, "open_build", lambda variant: Build(variant, own_context(tmp_path)))
    return pages


@pytest.mark.parametrize(
    ("words", "variant", "changes"),
    [
        ([], "atomic-min", "package config"),
        (["--variant", "atomic", "--change", "config"], "atomic", "config"),
        (["--change", "config", "--change", "package"], "atomic-min", "config package"),
    ],
)
def test_the_notebook_gets_the_variant_and_what_changes(
    published: list[tuple[NotebookPage, Mapping[str, object]]], words: list[str], variant: str, changes: str
) -> None:
    assert main(["update", *words]) == 0
    ((page, parameters),) = published
    assert parameters == {"variant": variant, "changes": changes}
    assert page.notebook.is_file()
    assert page.title == f"An update of {variant}: {changes}"
    assert page.runs == f"update-of-{variant}", "runs of the study have the name update"


def test_what_cannot_be_updated_makes_no_page(
    published: list[tuple[NotebookPage, Mapping[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["update", "--change", "colour"]) == 1
    assert "error: colour: no such change for version 2\nNext step: one or more of: config, initramfs, package, " in (
        capsys.readouterr().err
    )
    assert published == []


@pytest.mark.parametrize(
    ("words", "variant", "faults"),
    [
        (["--break", "docker"], "atomic-min-return", "docker"),
        (["--break", "unit", "--break", "nothing"], "atomic-min-return", "unit nothing"),
        (["--break", "all"], "atomic-min-return", "unit kernel-argument kernel-panic docker nothing"),
    ],
)
def test_the_notebook_of_the_automatic_return_gets_what_is_broken(
    published: list[tuple[NotebookPage, Mapping[str, object]]], words: list[str], variant: str, faults: str
) -> None:
    assert main(["update", *words]) == 0
    ((page, parameters),) = published
    assert parameters == {"variant": variant, "faults": faults}
    assert page.notebook.is_file()
    assert (page.name, page.runs) == ("update", "automatic-return")


def test_a_variant_that_does_not_return_makes_no_page(
    published: list[tuple[NotebookPage, Mapping[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["update", "--variant", "atomic-min", "--break", "unit"]) == 1
    assert "error: atomic-min: automatic_return is 0" in capsys.readouterr().err
    assert published == []


@pytest.mark.parametrize(
    ("words", "cases"),
    [
        (["--refuse", "unsigned"], "unsigned"),
        (["--refuse", "dies", "--refuse", "older"], "dies older"),
        (["--refuse", "all"], " ".join(CASES)),
    ],
)
def test_the_notebook_of_refused_updates_gets_the_cases(
    published: list[tuple[NotebookPage, Mapping[str, object]]], words: list[str], cases: str
) -> None:
    assert main(["update", *words]) == 0
    ((page, parameters),) = published
    assert parameters == {"variant": "atomic-min", "cases": cases}
    assert page.notebook.is_file()
    assert (page.name, page.runs) == ("update", "refused-updates")


def test_an_unknown_case_makes_no_page(
    published: list[tuple[NotebookPage, Mapping[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["update", "--refuse", "hacked"]) == 1
    assert "error: hacked: no such case of an update with a fault\nNext step: one or more of: unsigned, " in (
        capsys.readouterr().err
    )
    assert published == []


def test_it_needs_the_namespace(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    assert main(["update"]) == 1
    assert "Next step: start it with ./workbook" in capsys.readouterr().err
