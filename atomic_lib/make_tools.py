"""Makes the tools tree: ``python -P -m atomic_lib.make_tools``, in the workbook's namespace.

It needs the standard library only, so ./workbook starts it while pip installs the Python environment.
"""

import signal
import sys

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.progress import say
from atomic_lib.base.signals import end_with_parent, unwind
from atomic_lib.tools.tools_tree import open_tools
from atomic_lib.tools.user_namespace import enter, is_inside


def main() -> int:
    """The exit status: 0, or 1 with a message, if the tree cannot be made or the namespace cannot be entered."""
    end_with_parent()
    signal.signal(signal.SIGTERM, unwind)
    try:
        if not is_inside():
            enter([sys.executable, "-P", "-m", __spec__.name])
        open_tools(cache_directory())
    except WorkbookError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
