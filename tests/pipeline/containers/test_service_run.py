"""What ./workbook container hands to its notebook."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from atomic_lib.cli import main
from atomic_lib.pipeline.containers import service_run
from atomic_lib.pipeline.pages.notebook_page import NotebookPage
from atomic_lib.tools import user_namespace


@pytest.mark.parametrize(
    ("words", "variant", "swarm"),
    [
        (["container"], "atomic-min", False),
        (["container", "--variant", "own"], "own", False),
        (["container", "--swarm"], "atomic-min", True),
    ],
)
def test_the_notebook_gets_the_variant(
    monkeypatch: pytest.MonkeyPatch, words: list[str], variant: str, swarm: bool
) -> None:
    pages: list[tuple[NotebookPage, Mapping[str, object]]] = []
    opened: list[tuple[str, bool]] = []

    def publish(page: NotebookPage, parameters: Mapping[str, object], _: Path) -> int:
        pages.append((page, parameters))
        return 0

    monkeypatch.setattr(service_run, "publish_notebook", publish)
    monkeypatch.setattr(service_run, "open_service", lambda name, *, swarm: opened.append((name, swarm)))
    assert main(words) == 0
    ((page, parameters),) = pages
    assert (parameters, opened) == ({"variant": variant, "swarm": swarm}, [(variant, swarm)])
    assert page.notebook.is_file()
    assert (page.name, page.title) == (words[0], f"A service in a container on {variant}")


def test_it_needs_the_namespace(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    assert main(["container"]) == 1
    assert "Next step: start it with ./workbook" in capsys.readouterr().err
