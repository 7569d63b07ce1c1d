"""What ./workbook container hands to its notebook."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from atomic_lib.cli import main
from atomic_lib.pipeline.containers import service_run
from atomic_lib.pipeline.pages.notebook_page import NotebookPage
from atomic_lib.tools import user_namespace


@pytest.mark.parametrize(
    ("words", "opened_by", "variant", "title"),
    [
        (["container"], "open_service", "atomic-min", "A service in a container on atomic-min"),
        (["container", "--variant", "own"], "open_service", "own", "A service in a container on own"),
    ],
)
def test_the_notebook_gets_the_variant(
    monkeypatch: pytest.MonkeyPatch, words: list[str], opened_by: str, variant: str, title: str
) -> None:
    pages: list[tuple[NotebookPage, Mapping[str, object]]] = []
    opened: list[str] = []

    def publish(page: NotebookPage, parameters: Mapping[str, object], _: Path) -> int:
        pages.append((page, parameters))
        return 0

    monkeypatch.setattr(service_run, "publish_notebook", publish)
    monkeypatch.setattr(service_run, opened_by, opened.append)
    assert main(words) == 0
    ((page, parameters),) = pages
    assert (parameters, opened) == ({"variant": variant}, [variant])
    assert page.notebook.is_file()
    assert (page.name, page.title) == (words[0], title)


def test_it_needs_the_namespace(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    assert main(["container"]) == 1
    assert "Next step: start it with ./workbook" in capsys.readouterr().err
