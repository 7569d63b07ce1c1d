"""What the tests of the agent share."""

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A guest's root, with nothing in it."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "root").mkdir(mode=0o700)
    return tmp_path
