"""The directories of runs below build/runs, and the links to the newest ones."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from atomic_lib.base.run_lock import run_lock
from atomic_lib.base.store import Store, remove_tree

INDEX_FILE = "index.html"
"""The page of a run, which is written last."""


@contextmanager
def only_run(build: Path, cache: Path, command: str, *, wait: bool = False) -> Iterator[None]:
    """Be the only run, and remove what killed processes left behind, before the run and after it.

    ``command``: what others are told of. Raises WorkbookError while another run is active, unless it is to ``wait``.
    """
    with run_lock(build, command, wait=wait):
        remove_unfinished(build / "runs")
        stores = Store(build / "store"), Store(cache)
        try:
            for store in stores:
                store.remove_abandoned()
            yield
        finally:
            for store in stores:
                store.remove_abandoned()


def new_run(runs: Path, name: str) -> Path:
    """A new directory for a run, named after the time and what is run."""
    runs.mkdir(parents=True, exist_ok=True)
    stem = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}-{name}"
    directory = next(path for path in (runs / f"{stem}{end}" for end in ("", "-2", "-3", "-4")) if not path.exists())
    directory.mkdir()
    return directory


def finished_runs(runs: Path) -> list[Path]:
    """The directories of finished runs; links to them are not runs."""
    return [path for path in runs.glob("*") if not path.is_symlink() and (path / INDEX_FILE).is_file()]


def remove_unfinished(runs: Path) -> None:
    """Remove interrupted runs: what they made is in the store."""
    for directory in runs.glob("*"):
        if directory.is_dir() and not directory.is_symlink() and not (directory / INDEX_FILE).exists():
            remove_tree(directory)


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
