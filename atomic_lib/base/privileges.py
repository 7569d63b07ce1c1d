"""The check for root."""

import os

from atomic_lib.base.errors import WorkbookError


def require_root(command: str) -> None:
    """Raise WorkbookError unless the user is root; the hint is ``sudo`` and ``command``."""
    if os.geteuid() != 0:
        raise WorkbookError(
            "composing needs root: it sets the owners, device nodes and labels of another system",
            hint=f"sudo {command}",
        )
