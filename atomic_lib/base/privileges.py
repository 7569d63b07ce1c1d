"""What only root may do."""

import os

from atomic_lib.base.errors import WorkbookError


def require_root(command: str) -> None:
    """Raise WorkbookError for a user who is not root; ``command`` is the next step, without ``sudo``."""
    if os.geteuid() != 0:
        raise WorkbookError(
            "composing needs root: it sets the owners, device nodes and labels of another system",
            hint=f"sudo {command}",
        )
