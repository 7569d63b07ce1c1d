"""The panel's status: what is done, then nothing, or an error in one line."""

import errno
import os
from types import SimpleNamespace

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.explore.choices import Choices
from atomic_lib.pipeline.explore.panel import Panel


@pytest.fixture
def panel() -> Panel:
    """A panel with nothing but its status."""
    found = Panel.__new__(Panel)
    found._status = SimpleNamespace(value="")
    return found


def raised(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (WorkbookError("no <package>", hint="correct it"), "✗ no &lt;package&gt; Next step: correct it"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/params/x.yaml"), "✗ /params/x.yaml: Read-only file system"),
    ],
)
def test_an_error_takes_the_place_of_what_was_done(panel: Panel, error: Exception, said: str) -> None:
    panel._doing("saving …", lambda: raised(error))
    assert said in panel._status.value
    assert "saving" not in panel._status.value


def test_afterwards_nothing_is_shown(panel: Panel) -> None:
    panel._doing("saving …", lambda: None)
    assert panel._status.value == ""
    with pytest.raises(KeyboardInterrupt):
        panel._doing("saving …", lambda: raised(KeyboardInterrupt()))
    assert panel._status.value == ""


def test_choices_without_an_answer_show_none_and_are_not_saved(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    class Chosen(Panel):
        choices = Choices(add=("no-such-thing",))

    panel.__class__ = Chosen
    panel._explorer = SimpleNamespace(  # type: ignore[assignment]
        explore=lambda choices: raised(WorkbookError(f"no package {choices.add[0]}"))
    )
    panel.exploration = SimpleNamespace(choices=Choices())  # type: ignore[assignment]
    for name in ("_figures", "_guards", "_typed", "_saved"):
        setattr(panel, name, SimpleNamespace(value="of other choices"))
    panel._tables = SimpleNamespace(outputs=("of other choices",))
    panel._run = SimpleNamespace(disabled=False)
    panel._name = SimpleNamespace(value="without")
    saved = list[object]()
    monkeypatch.setattr("atomic_lib.pipeline.explore.panel.save_variant", lambda *given: saved.append(given))
    panel.refresh()
    assert (panel._figures.value, panel._guards.value, panel._typed.value, panel._tables.outputs) == ("", "", "", ())
    panel._status.value = ""
    panel._save(None)
    assert saved == []
    assert "✗ no package no-such-thing" in panel._status.value
    assert (panel._saved.value, panel._run.disabled) == ("", True)
