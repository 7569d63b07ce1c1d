"""How much a pulled commit may have; pulling one is an integration test."""

import os
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.pulled.commit_limits import CommitLimits


def test_what_is_pulled_may_have_so_many_bytes_and_files(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}/object").write_bytes(os.urandom(2**20))
    CommitLimits(4, 3).require(tmp_path, "own.ks:1: commit c")
    for limits, words in (
        (CommitLimits(2, 3), "2 MiB (commit_size_mib)"),
        (CommitLimits(4, 2), "2 files (commit_files)"),
    ):
        with pytest.raises(WorkbookError) as caught:
            limits.require(tmp_path, "own.ks:1: commit c")
        assert caught.value.message == f"own.ks:1: commit c has more than {words}"


def test_files_in_memory_take_no_more_than_most_of_it() -> None:
    assert CommitLimits(64).memory_size == "64m"
    assert CommitLimits(2**30).memory_size == "90%"
    assert CommitLimits().full(Path("/"), "x") is None
