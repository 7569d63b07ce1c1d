"""What every test may use."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base import command

CHECKOUT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without root, leave the integration tests out and say so; in CI they run, and fail, rather than be missed."""
    if os.geteuid() == 0 or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("integration"):
            item.add_marker(pytest.mark.skip(reason="composing needs root: sudo ./workbook test"))


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
