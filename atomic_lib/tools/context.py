"""What every stage of the pipeline works with: the tools tree, the store of this checkout, the shared cache."""

from dataclasses import dataclass, field
from pathlib import Path

from atomic_lib.base.paths import BUILD, cache_directory
from atomic_lib.base.store import Store
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools


@dataclass(frozen=True)
class Context:
    """The tools, and where results are kept: ``store`` is this checkout's, ``cache`` all checkouts share."""

    tools: Tools
    cache: Path
    store: Store = field(default_factory=lambda: Store(BUILD / "store"))

    @property
    def shared(self) -> Store:
        """The cache as a store."""
        return Store(self.cache)

    @property
    def tools_key(self) -> str:
        """What names the tools tree and how commands enter it."""
        return self.tools.key


def open_context() -> Context:
    """The context of this checkout; makes the tools tree first where it is not there.

    Raises WorkbookError as ``open_tools`` does.
    """
    cache = cache_directory()
    return Context(open_tools(cache), cache)
