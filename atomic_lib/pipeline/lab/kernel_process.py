"""``python -m atomic_lib.pipeline.lab.kernel_process -f FILE``: ipykernel in the workbook's namespace.

FILE says how to connect. papermill and JupyterLab write it, and only the user who runs them may read it.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

from atomic_lib.base.errors import WorkbookError
from atomic_lib.tools.user_namespace import enter, is_inside


def start(option: str, connection: str, *words: str) -> NoReturn:
    """Become the kernel; raises WorkbookError as ``enter`` does."""
    if os.geteuid() == 0 and not is_inside():  # in the namespace, root is another user
        connection = _in_memory(Path(connection))
    enter([sys.executable, "-m", "ipykernel_launcher", option, connection, *words])


def _in_memory(file: Path) -> str:
    """The path of a copy that this process may read as any user, and that ends with it."""
    descriptor = os.memfd_create(file.name, 0)
    os.write(descriptor, file.read_bytes())
    return f"/proc/self/fd/{descriptor}"


if __name__ == "__main__":
    try:
        start(*sys.argv[1:])
    except WorkbookError as refusal:
        sys.exit(f"error: {refusal}")
