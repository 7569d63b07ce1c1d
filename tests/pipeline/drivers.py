"""Runs of the workbook that a test stops: each is a process of its own, forked from one that has imported everything.

To import it takes longer than the rest of a run with small notebooks.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import nbconvert.exporters  # noqa: F401  # the pages of a run need it
import pytest

from atomic_lib import cli
from atomic_lib.base.command import clean_environment
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.pipeline.notebooks import Execution, execute_all
from atomic_lib.pipeline.study import study_run
from tests.pipeline.study.rounds import put_checkout


@contextmanager
def driver(
    drive: Callable[[Path], int], top: Path, log: Path, environment: Mapping[str, str]
) -> Iterator[ForkServerProcess]:
    """A process that runs ``drive(top)`` and exits with the status that it returns; it is killed when the block ends.

    ``drive`` is a function of this module; what it prints is appended to ``log``. ``environment`` is added to a clean
    environment. ``exitcode`` of the process is negative if a signal has killed it.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    clean = clean_environment({"PYTHONPATH": str(CHECKOUT), **environment})
    process = context.Process(target=_work, args=(drive, top, log, clean))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _work(drive: Callable[[Path], int], top: Path, log: Path, environment: dict[str, str]) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # asks the environment again
    with open(log, "ab") as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
    sys.exit(drive(top))


def run_one_notebook(top: Path) -> int:
    """``./workbook run``, with one notebook in place of a study."""
    execution = Execution(top / "a.ipynb", top / "out.ipynb", {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_run, "run_study", lambda *_, **__: execute_all([execution], workers=1))
        return cli.main(["run"])


def run_study_in(top: Path) -> int:
    """A run of one variant of the study ``default`` in the checkout ``top``."""
    with pytest.MonkeyPatch.context() as patch:
        put_checkout(patch, top)
        return study_run.run_study("default", variants=["atomic-min"])
