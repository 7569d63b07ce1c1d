"""Progress lines become steps; all other text stays on standard error."""

import io
import sys

import pytest

from atomic_lib.base import progress
from atomic_lib.base.progress import ALIVE_VARIABLE, passed, reached, say, step
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


@pytest.mark.parametrize("note", ["", "changed: recipe, tools"])
@pytest.mark.parametrize("seconds", [None, 30.4])
def test_a_step_ends_whatever_its_first_line_says(
    note: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    found = list[Steps]()
    with progress_shown(found.append), step("min: compose (ostree)", seconds, note):
        with pytest.raises(ValueError, match="no"), step("min", seconds, note):
            raise ValueError("no")
        assert [line.partition(" ostree")[0][:12] for line in found[-1].running] == ["min: compose"]
    assert found[-1].running == []
    assert [line[:6] for line in found[-1].done] == ["✗ min:", "✓ min:"]
    assert "<progress" not in found[-1].as_html()


def test_a_sign_of_life_is_the_text_of_the_bar_and_what_has_passed_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv(ALIVE_VARIABLE, "10")
    monkeypatch.setattr(progress._SHOWN, "logged", 0.0)
    found = list[Steps]()
    with progress_shown(found.append):
        with step("boot <1>", 30):
            reached("kernel")
            assert "boot &lt;1&gt;: 0 s of about 30 s, kernel · " in found[-1].as_html()
            with step("ssh"):
                assert "</progress> ssh · " in found[-1].as_html()
                reached("key")
            assert "</progress> boot &lt;1&gt;, about 30 s · " in found[-1].as_html()
        passed("min: boot")
    assert "min: boot" not in found[-1].as_html()
    assert stream.getvalue() == ""


def test_another_cell_begins_anew() -> None:
    found = list[Steps]()
    stream = ProgressStream(io.StringIO(), found.append)
    stream.write("→ one\n")
    stream.begin()
    stream.write("→ two\n")
    assert found[-1].running == ["two"]
