"""The directories of runs below build/runs, and the links to the newest ones."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.run_lock import run_lock
from atomic_lib.base.store import Store, remove_tree
from atomic_lib.image.uncompressed_disk import remove_raw_disks
from atomic_lib.tools.clean import remove_completely

INDEX_FILE = "index.html"
"""The page of a run, which is written last."""
RESUMED_FILE = ".resumed-since"
"""In the directory of a run that resumes interrupted ones, until it is finished."""
_CLOCK_SECONDS = 60.0
"""How far a clock may be behind the newest run: time servers correct it by less."""
_REMOVED = ".removed-"
"""How the name of a run begins whose files are being removed."""
_TIME = "%Y-%m-%dT%H-%M-%SZ"


@contextmanager
def only_run(build: Path, cache: Path, command: str, *, wait: bool = False) -> Iterator[float | None]:
    """Be the only run, and remove what killed processes left behind, before the run and after it.

    After it, raw disks that no process uses are removed as well. The block gets what ``remove_unfinished`` returns.

    ``command``: what others are told of. Raises WorkbookError while another run is active, unless it is to ``wait``.
    """
    with run_lock(build, command, wait=wait):
        interrupted = remove_unfinished(build / "runs")
        stores = Store(build / "store"), Store(cache)
        try:
            for store in stores:
                store.remove_abandoned()
            yield interrupted
        finally:
            for store in stores:
                store.remove_abandoned()
            remove_raw_disks(stores[0])


def new_run(runs: Path, name: str, interrupted: float | None = None) -> Path:
    """A new directory for a run, named after the time and what is run; no two runs begin in one second.

    ``interrupted``: since when runs were interrupted that it resumes, see ``resumed_since``.

    Raises WorkbookError if the clock is behind the newest run: runs would be in the wrong order.
    """
    runs.mkdir(parents=True, exist_ok=True)
    _require_clock(runs, datetime.now(UTC))
    while (directory := runs / f"{datetime.now(UTC):{_TIME}}-{name}").exists():
        sleep(0.1)
    directory.mkdir()
    if interrupted is not None:
        (directory / RESUMED_FILE).write_text(f"{interrupted}\n")
    return directory


def _require_clock(runs: Path, now: datetime) -> None:
    newest = max(((_begun(path.name) or 0.0, path) for path in finished_runs(runs)), default=None)
    if newest and newest[0] > now.timestamp() + _CLOCK_SECONDS:
        raise WorkbookError(
            f"the clock of this machine says {now:{_TIME}}, but run {newest[1].name} was made before",
            hint=f"set the clock (timedatectl); if the run's time is wrong: rm -r {newest[1]}",
        )


def resumed_since(directory: Path) -> float | None:
    """When the first of the interrupted runs began that the run in ``directory`` resumes (seconds since 1970, UTC).

    What was stored since then counts as made by this run, as in a run that was not interrupted. None if it resumes
    nothing.
    """
    try:
        return float((directory / RESUMED_FILE).read_text())
    except (OSError, ValueError):
        return None


def finished_runs(runs: Path) -> list[Path]:
    """The directories of finished runs; links to them are not runs, and neither are those that are being removed."""
    return [path for path in runs.glob("[!.]*") if not path.is_symlink() and (path / INDEX_FILE).is_file()]


def remove_run(directory: Path) -> None:
    """Remove a run: at once as a run, and then its files, of which the next run or pruning removes what is left.

    Raises WorkbookError if something of it stays.
    """
    hidden = directory.with_name(f"{_REMOVED}{directory.name}")
    remove_tree(hidden)
    os.rename(directory, hidden)
    remove_completely(hidden)


def remove_remainders(runs: Path) -> None:
    """Remove what is left of runs whose removal was interrupted."""
    for directory in runs.glob(f"{_REMOVED}*"):
        remove_tree(directory)


def remove_unfinished(runs: Path) -> float | None:
    """Remove interrupted runs: what they made is in the store.

    Returns when the first of them began (seconds since 1970, UTC), those included that they resumed; None if there
    was none.
    """
    remove_remainders(runs)
    begun = []
    for directory in runs.glob("[!.]*"):
        if directory.is_dir() and not directory.is_symlink() and not (directory / INDEX_FILE).exists():
            begun += [at for at in (resumed_since(directory), _begun(directory.name)) if at is not None]
            remove_tree(directory)
    return min(begun, default=None)


def _begun(name: str) -> float | None:
    """When a run began, by the name of its directory."""
    try:
        return datetime.strptime(name.partition("Z")[0] + "Z", _TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def latest_link(study: str) -> str:
    """The name of the link to the latest run of a study: the newest one that was whole and successful."""
    return f"latest-{study}"


def link_newest(directory: Path, link: str) -> None:
    """Point ``link``, beside the run, to it."""
    fresh = directory.parent / f".{link}-{os.getpid()}"
    with suppress(FileNotFoundError):
        fresh.unlink()
    fresh.symlink_to(directory.name)
    os.replace(fresh, directory.parent / link)
