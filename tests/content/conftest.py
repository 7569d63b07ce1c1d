"""Fixtures of the tests of the agent."""

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty root of a guest."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "root").mkdir(mode=0o700)
    return tmp_path
