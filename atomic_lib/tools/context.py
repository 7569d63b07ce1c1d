"""The context of all stages of the pipeline: the tools tree, the store of this checkout, the shared cache."""

from dataclasses import dataclass, field
from pathlib import Path

from atomic_lib.base.paths import BUILD, cache_directory
from atomic_lib.base.store import Store
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools


@dataclass(frozen=True)
class Context:
    """The tools, and where results are stored: ``store`` belongs to this checkout, all checkouts share ``cache``."""

    tools: Tools
    cache: Path
    store: Store = field(default_factory=lambda: Store(BUILD / "store"))

    @property
    def shared(self) -> Store:
        """The cache as a store."""
        return Store(self.cache)

    @property
    def tools_key(self) -> str:
        """The identity of the tools tree, and of the rules by which commands enter it."""
        return self.tools.key


def open_context() -> Context:
    """The context of this checkout; builds the tools tree first if necessary.

    Raises WorkbookError as ``open_tools`` does.
    """
    cache = cache_directory()
    return Context(open_tools(cache), cache)
