"""The rooms of the report import in one direction, and none of them measures."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.base.paths import CHECKOUT

REPORT = CHECKOUT / "atomic_lib/report"
ROOMS = ("elements", "text", "tables", "release_notes", "figures", "page", "site")
MODULES = sorted(path for path in REPORT.rglob("*.py") if path.stem != "__init__")
MEASURING = ("statistics", "numpy", "scipy", "yaml", "atomic_lib.params")
"""What a module needs that computes a fact or loads rules; ``mean`` writes an effect of several cells as one."""
MEAN = {"statistics.mean"}


def imported(path: Path) -> Iterator[str]:
    """The full names of what a module imports from other modules."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPORT)))
def test_rooms_import_in_one_direction(path: Path) -> None:
    own = ROOMS.index(path.relative_to(REPORT).parts[0])
    rooms = [name.split(".")[2] for name in imported(path) if name.startswith("atomic_lib.report.")]
    assert [room for room in rooms if ROOMS.index(room) > own] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPORT)))
def test_nothing_is_measured(path: Path) -> None:
    names = set(imported(path)) - MEAN
    assert [name for name in names if any(name == one or name.startswith(f"{one}.") for one in MEASURING)] == []
