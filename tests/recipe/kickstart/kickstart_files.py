"""Kickstarts of a test's own, and their refusals."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart

PACKAGES = "%packages --nocore\nbash\n%end\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(path: Path, version: str = "F41") -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        read_kickstart(path, version)
    return caught.value
