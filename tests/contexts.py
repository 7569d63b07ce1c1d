"""A context of a test's own: two stores in its directory, and tools that run nothing."""

from pathlib import Path

from atomic_lib.base.store import Store
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools

NO_TOOLS = Tools(Path("/nonexistent"), "none")


def own_context(directory: Path, tools: Tools = NO_TOOLS) -> Context:
    """A context with its cache and its store below ``directory``."""
    return Context(tools, directory / "cache", Store(directory / "store"))
