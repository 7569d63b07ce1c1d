"""``./workbook publish DIR`` and ``run --publish DIR``: the site of the history, published after a run or by hand."""

import errno
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from atomic_lib.base.errors import WorkbookError, full_disk
from atomic_lib.base.paths import BUILD
from atomic_lib.base.progress import say
from atomic_lib.base.run_lock import run_lock
from atomic_lib.base.signals import Stopped, end_with_parent
from atomic_lib.base.store import Store
from atomic_lib.report.site.site import publish_site
from atomic_lib.report.site.site_directory import require_site_directory
from atomic_lib.results.history.database import HISTORY_FILE, open_history
from atomic_lib.results.history.run_recording import record_missing_runs
from atomic_lib.results.runs import latest_link, link_newest


def publish(directory: Path, *, images: bool = False, build: Path = BUILD) -> int:
    """Publish the site of the history as ``directory``, and point ``latest-STUDY`` to the runs that head it.

    Waits until no run is active. ``images``: with the disk images of these runs. Returns the exit status.

    Raises WorkbookError as ``publish_site`` does, if the history cannot be read, and if the disk is full; the site
    that is there, and the links, then stay as they are.
    """
    require_site_directory(directory)
    runs = build / "runs"
    with run_lock(build, "./workbook publish", wait=True), open_history(build / HISTORY_FILE) as history:
        record_missing_runs(history, runs)
        try:
            done = publish_site(history, runs, directory, Store(build / "store") if images else None)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise full_disk(f"publish {directory}", directory) from None
        for run in done.latest:
            if (runs / run.run).is_dir():
                link_newest(runs / run.run, latest_link(run.study))
    latest = ", ".join(run.run for run in done.latest) or "none"
    say(f"published: {done.written} files are new or changed; latest runs: {latest}")
    print(directory / "index.html")
    return 0


def run_and_publish(
    words: Sequence[str], directory: Path, keep: int | None, execute: Callable[[Sequence[str]], int]
) -> int:
    """Run a study, publish the site, then remove old runs; returns the exit status.

    ``words``: the command that runs the study and neither moves its link nor removes runs. ``execute`` executes a
    command and returns its exit status; it is not this process that does, because a run happens in a namespace, which
    cannot write everywhere. After a run that fails or breaks a budget nothing is published: the site gets that run, as
    what it is, with the next one that succeeds, or with ``publish``.

    Raises WorkbookError as ``publish`` does; old runs then stay. A directory that cannot be published is named before
    the run.
    """
    require_site_directory(directory)
    status = execute(words)
    if status > 1:  # the command was refused, or a signal ended it
        return status
    if status:
        say(f"not published: the run did not succeed; {directory} stays as it is")
    else:
        publish(directory)
    if keep is not None:
        status = max(status, execute(["clean", "--keep", str(keep), "--yes", "--wait"]))
    return status


def in_child(start: Callable[[], NoReturn]) -> int:
    """The exit status of a child process that ``start`` turns into a program; it ends with this process."""
    child = os.fork()
    if child == 0:
        try:
            end_with_parent()
            start()
        except (WorkbookError, OSError) as error:
            say(f"error: {error}")
        finally:
            os._exit(1)
    try:
        return _status_of(child)
    except (KeyboardInterrupt, Stopped) as stop:
        if isinstance(stop, Stopped):  # Ctrl-C reaches the child as well
            os.kill(child, signal.SIGTERM)
        _status_of(child)
        raise


def _status_of(child: int) -> int:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status
