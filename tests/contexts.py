"""A context of a test's own: two stores in its directory, and tools that run nothing; and what is mounted there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atomic_lib.base.store import Store
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import tools_inputs

NO_TOOLS = Tools(Path("/nonexistent"), "none")


def own_context(directory: Path, tools: Tools = NO_TOOLS) -> Context:
    """A context with its cache and its store below ``directory``."""
    return Context(tools, directory / "cache", Store(directory / "store"))


def put_empty_tools(cache: Path) -> None:
    """Give a cache a tools tree that is there, but has no tools."""

    def make(directory: Path) -> None:
        (directory / "root").mkdir()
        (directory / "versions").write_text("none 0\n")

    Store(cache).get_or_make("tools", tools_inputs(), make, what="tools tree for a test")


@contextmanager
def on_disk(place: Path) -> Iterator[Path]:
    """In place of ``in_memory``: a directory that is gone after the block."""
    place.mkdir()
    yield place
    shutil.rmtree(place)


def mounts_below(directory: Path) -> list[str]:
    """What is mounted in or from a directory; other tests mount and unmount elsewhere in the same namespace."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if str(directory) in line]
