"""Progress lines become steps; all other text stays on standard error."""

import io
import sys

import pytest

from atomic_lib.base.progress import say, step
from atomic_lib.pipeline.lab.progress_stream import ProgressStream, Steps, progress_shown


def test_steps_are_shown_and_other_text_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, shown = io.StringIO(), list[tuple[list[str], list[str]]]()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_shown(lambda steps: shown.append((list(steps.running), list(steps.done)))), step("resolve"):
        print("a warning", file=sys.stderr)
    assert sys.stderr is stream
    assert stream.getvalue() == "a warning\n"
    assert shown[0] == (["resolve"], [])
    assert shown[1][0] == []
    assert shown[1][1][0].startswith("✓ resolve: ")


def test_lines_of_a_child_process_are_indented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    found = list[Steps]()
    with progress_shown(found.append):
        say("  → compose")
        say("! a note <b>")
    assert found[-1].running == ["compose"]
    assert "a note &lt;b&gt;" in found[-1].as_html()
    assert "<progress" in found[-1].as_html()


def test_another_cell_begins_anew() -> None:
    found = list[Steps]()
    stream = ProgressStream(io.StringIO(), found.append)
    stream.write("→ one\n")
    stream.begin()
    stream.write("→ two\n")
    assert found[-1].running == ["two"]
