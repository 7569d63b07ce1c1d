"""What every test may use."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.tools.user_namespace import is_inside

CHECKOUT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Outside of the namespace, leave the integration tests out and say so; in CI they fail, rather than be missed."""
    if is_inside() or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("integration"):
            item.add_marker(pytest.mark.skip(reason="composing needs a namespace: ./workbook test"))


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
