"""Exceptions as errors of one line."""

import errno
from pathlib import Path

import pytest

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.pipeline.failures import MESSAGE_LENGTH, cell_failure, ended_process, explained


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO])
def test_a_directory_that_cannot_be_used_is_no_fault_of_the_variant(number: int) -> None:
    error = explained(OSError(number, "said", "/srv/cache/x"))
    assert type(error) is SetupError
    assert error.message.startswith("/srv/cache/x: ")
    assert ("writable" in error.hint) == (number != errno.EIO)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named(number: int, tmp_path: Path) -> None:
    error = explained(OSError(number, "said", str(tmp_path / "not/there")))
    assert type(error) is SetupError
    assert "the file system at /" in error.message
    assert "B are free" in error.message
    assert "free some space" in error.hint


def test_an_error_of_the_system_in_a_cell_is_the_same_as_one_of_ours() -> None:
    error = cell_failure("PermissionError", "[Errno 13] Permission denied: '/srv/cache/x'")
    assert (type(error), error.message) == (SetupError, "/srv/cache/x: Permission denied")
    error = cell_failure("FileNotFoundError", "[Errno 2] No such file or directory: '/srv/x'")
    assert (type(error), error.message) == (WorkbookError, "/srv/x: No such file or directory")
    assert cell_failure("OSError", "not of the system").message == "OSError: not of the system"


def test_an_error_of_a_command_keeps_its_parts() -> None:
    error = cell_failure("CommandError", "dnf: exit status 1\na\nb\nNext step: look")
    assert (type(error), error.message, error.log, error.hint) == (WorkbookError, "dnf: exit status 1", "a\nb", "look")


def test_any_other_exception_is_its_first_line_and_the_rest_is_the_log() -> None:
    error = explained(KeyError("x" * 10_000 + "\nsecond"))
    assert error.message.startswith("KeyError: ")
    assert len(error.message) == MESSAGE_LENGTH + 1
    error = cell_failure("ValueError", "first\nsecond")
    assert (error.message, error.log) == ("ValueError: first", "second")


def test_how_a_process_ended_is_said() -> None:
    assert ended_process("a.ipynb", -11).message == "the process of a.ipynb was killed by SIGSEGV"
    assert ended_process("a.ipynb", 3).message == "the process of a.ipynb ended with exit status 3"
