"""A directory for all processes of the tests is made by one of them."""

from pathlib import Path

import pytest

from tests.made_once import made_once


def test_a_directory_is_made_by_the_first_process_and_again_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    made: list[Path] = []

    def make(directory: Path) -> None:
        (directory / "part").mkdir()
        made.append(directory)
        if len(made) == 1:
            raise ValueError("no such luck")

    first, second = (tmp_path / name for name in ("gw0", "gw1"))
    with pytest.raises(ValueError, match="no such luck"):
        made_once(first, "run", make)
    assert made_once(second, "run", make) == made_once(first, "run", make) == made[1]
    assert len(made) == 2
    assert made[1].parent == tmp_path
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    first.mkdir()
    assert made_once(first, "run", make).parent == first
