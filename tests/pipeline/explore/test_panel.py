"""The panel's status: what is done, then nothing, or an error in one line."""

import errno
import os
from types import SimpleNamespace

import pytest

from atomic_lib.base.errors import WorkbookError
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
