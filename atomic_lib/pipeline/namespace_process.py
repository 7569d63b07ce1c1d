"""Runs a module of ours in a process of its own, in the workbook's namespace, and shows its progress."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.progress import ALIVE, ALIVE_VARIABLE, alive_seconds, is_progress, say
from atomic_lib.tools import user_namespace

_PASSED_ON = ("HOME", "XDG_CACHE_HOME", "WORKBOOK_CACHE", "WORKBOOK_MIRROR")


def run_module(
    module: str,
    words: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    timeout_seconds: float,
    shown: Sequence[str],
    environment: Mapping[str, str] | None = None,
    other_ids: bool = False,
) -> None:
    """Run ``python -m MODULE WORD…`` in the namespace; its output goes to ``log``, its progress lines to the terminal.

    ``shown``: the words that an error shows. ``other_ids``: as for ``user_namespace.enter``. The process ends if this
    one does. Raises CommandError if it fails.
    """
    passed_on = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    passed_on[ALIVE_VARIABLE] = f"{alive_seconds():g}"
    python = [sys.executable, "-P", "-m"]
    ids = ["--other-ids"] if other_ids else []
    log.touch()
    with _progress_shown(log):
        command.run(
            [*python, user_namespace.__name__, *ids, *python, module, *words], cwd=CHECKOUT, network=True, log=log,
            env={**passed_on, "PYTHONPATH": str(CHECKOUT), **(environment or {})}, timeout_seconds=timeout_seconds,
            shown=shown,
        )  # fmt: skip


@contextmanager
def _progress_shown(log: Path, every_seconds: float = 0.5) -> Iterator[None]:
    """Show the progress lines that a child process writes to ``log``."""
    done = threading.Event()

    def follow() -> None:
        with open(log, encoding="utf-8", errors="replace") as file:
            last = False
            while not last:
                last = done.wait(every_seconds)
                for line in file:
                    if is_progress(line):
                        say(line.rstrip() if line.startswith(ALIVE) else f"  {line.rstrip()}")

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
