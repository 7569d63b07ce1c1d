"""Scratch directories: their names say whose they are, so those of killed processes are removed."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.explore import saved_run
from atomic_lib.pipeline.explore.saved_variant import SavedVariant
from atomic_lib.pipeline.notebooks import remove_abandoned
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.running_dnf import solver_process
from atomic_lib.solve.running_dnf.solver_process import running_dnf

ENDED = 2**22 + 1
"""The id of no process: pid_max, proc(5), is lower."""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_by(pid: int, path: Path) -> Path:
    """A directory as a killed process leaves it."""
    words = path.name.split("-")
    assert words[2] == str(os.getpid())
    found = path.with_name("-".join([*words[:2], str(pid), words[-1]]))
    (found / "talk").mkdir(parents=True)
    return found


def scratch_of_a_run(monkeypatch: pytest.MonkeyPatch) -> Path:
    def run_module(*_: object, log: Path, **__: object) -> None:
        raise WorkbookError(str(log.parent))

    monkeypatch.setattr(saved_run, "run_module", run_module)
    with pytest.raises(WorkbookError) as caught:
        saved_run.run_saved(SavedVariant("mine", ()))
    return Path(caught.value.message)


def scratch_of_a_dnf(monkeypatch: pytest.MonkeyPatch) -> Path:
    def started(_: object, *, log: Path, **__: object) -> None:
        raise WorkbookError(str(log.parent))

    monkeypatch.setattr(solver_process, "Dnf", lambda *_: Mock(prepared=lambda _: ([], [])))
    with (
        pytest.raises(WorkbookError) as caught,
        running_dnf(Mock(running=started), Mock(), Recipe(files=(), packages=())),
    ):
        pass
    return Path(caught.value.message)


@pytest.mark.parametrize("scratch_of", [scratch_of_a_run, scratch_of_a_dnf])
def test_that_of_a_killed_process_is_removed_and_that_of_a_living_one_is_not(
    scratch_of: Callable[[pytest.MonkeyPatch], Path], temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = scratch_of(monkeypatch)
    assert path.parent == temporary
    assert not path.exists()
    abandoned, living = left_by(ENDED, path), left_by(os.getpid(), path)
    remove_abandoned()
    assert (abandoned.exists(), living.exists()) == (False, True)


def test_that_of_a_killed_worker_of_sweeps_is_removed(temporary: Path) -> None:
    path = temporary / f"workbook-worker-{ENDED}-x"
    path.mkdir()
    remove_abandoned()
    assert not path.exists()


def test_that_of_another_user_is_left_alone(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = temporary / f"workbook-dnf-{ENDED}-x"
    path.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    remove_abandoned()
    assert path.exists()
