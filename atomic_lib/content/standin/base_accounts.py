"""The accounts that every Debian system has, for trees whose account files a recipe brings."""

from atomic_lib.content.standin.overlay import master_rows
from atomic_lib.tools.sandbox import Tools


def base_accounts(tools: Tools) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of passwd and group in base-passwd's templates in the tools tree, which is of the same suite."""
    return master_rows(tools.root / "usr/share/base-passwd")
