"""What may differ from a package: the shipped exceptions are read, and others refused with their reason."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.attribute_exceptions import load_attribute_exceptions

ONE = "exceptions:\n  - exception: one\n    reason: a scriptlet makes it so, because it must\n"


def test_the_shipped_exceptions_name_what_may_differ() -> None:
    helper = "/usr/libexec/dbus-1/dbus-daemon-launch-helper"
    (found,) = [one for one in load_attribute_exceptions() if one.exception == "bus-launch-helper"]
    assert found.explains(helper, ["mode"])
    assert found.explains(helper, ["group", "mode"])
    assert not found.explains(helper, ["owner", "mode"])
    assert not found.explains(f"{helper}.old", ["mode"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{ONE}    paths: ['/usr/(']\n    differs: [mode]\n", "not a valid regular expression"),
        (f"{ONE}    paths: [/usr/x]\n    differs: [label]\n", "differs"),
        (f"{ONE}    paths: [/usr/x]\n", "differs"),
        (f"{ONE}    paths: []\n    differs: [mode]\n", "paths"),
    ],
)
def test_an_exception_that_is_not_whole_is_refused_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(WorkbookError, match=said) as caught:
        load_attribute_exceptions(tmp_path / "own.yaml")
    assert "own.yaml" in caught.value.message
