"""What every test may use."""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.side_by_side.capacity import variants_at_once
from atomic_lib.tools.user_namespace import is_inside

CHECKOUT = Path(__file__).parent.parent
LONG_SECONDS = 60


@pytest.hookimpl(optionalhook=True)  # of a plugin that other ways to start the tests may lack
def pytest_xdist_auto_num_workers() -> int:
    """How many files of tests ``./workbook test`` runs at once: as many as a run builds and boots variants."""
    return variants_at_once([load_variant("atomic-min")] * ((os.cpu_count() or 1) + 1))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Name each long test when it ends, for who waits; dots do not say how far a run of many minutes has come."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal and not hasattr(session.config, "workerinput"):  # a process of pytest-xdist only reports to the first
        session.config.pluginmanager.register(LongTests(terminal.ensure_newline, terminal.write_line))


class LongTests:
    """A plugin that prints which phases of tests took long."""

    def __init__(self, new_line: Callable[[], None], write_line: Callable[[str], None]) -> None:
        self._new_line, self._write_line = new_line, write_line

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called at the end of each phase of each test."""
        if report.duration >= LONG_SECONDS:
            self._new_line()
            self._write_line(f"{report.duration:.0f} s: {report.nodeid} ({report.when}, {report.outcome})")


def pytest_collection() -> None:
    """No garbage collection while the tests are collected: hardly anything is garbage then, and all is looked at."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Integration tests come first: they are long, and the others fill the gap that the last one leaves.

    Outside of the namespace, leave the integration tests out and say so; in CI they fail, rather than be missed.
    """
    items.sort(key=lambda item: item.get_closest_marker("integration") is None)
    if is_inside() or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("integration"):
            item.add_marker(pytest.mark.skip(reason="composing needs a namespace: ./workbook test"))


def pytest_collection_finish() -> None:
    """Spare the garbage collector the thousands of tests and their modules, which stay until the end.

    A figure that is drawn leaves much garbage, and each collection would look at all of them again.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, *gc.get_threshold()[1:])


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The top of the source tree."""
    return CHECKOUT


@pytest.fixture
def run_python() -> Callable[..., command.Completed]:
    """Run a Python program text in a process of its own, with atomic_lib importable."""

    def run(text: str, *words: str) -> command.Completed:
        return command.run([sys.executable, "-c", text, *words], env={"PYTHONPATH": str(CHECKOUT)}, timeout_seconds=60)

    return run
