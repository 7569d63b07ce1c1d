"""What takes long to make and is only read: made once for all processes of the tests."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def made_once(own: Path, name: str, make: Callable[[Path], None]) -> Path:
    """A directory that the first process to need it makes; the others wait for it. No test may change it.

    ``own``: pytest's base directory of this process (``tmp_path_factory.getbasetemp()``).
    If ``make`` raises, the tests of every process fail with that error.
    """
    shared = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own  # pytest-xdist: one below it for each process
    directory = shared / f"shared-{name}"
    with open(shared / f"{name}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = shared / f"{name}.made"
        if not complete.exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            make(directory)
            complete.touch()
    return directory
