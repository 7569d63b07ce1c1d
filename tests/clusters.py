"""Clusters of dask.distributed: a scheduler and workers that share nothing but the network and the build tools."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.command import Background
from atomic_lib.base.paths import CHECKOUT, cache_directory
from atomic_lib.tools.sandbox import Bind, Tools

ENVIRONMENT = CHECKOUT / ".venv-cluster"
_COPIED = ("atomic_lib", "params")
_START_SECONDS = 120.0


@dataclass(frozen=True)
class Machine:
    """A copy of the checkout with a cache of its own, of which only the tools tree is there."""

    checkout: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a command of this machine, which is in the namespace already."""
        passed_on = {name: value for name, value in os.environ.items() if name.startswith("WORKBOOK_")}
        own = {"WORKBOOK_CACHE": str(self.cache), "PYTHONPATH": str(self.checkout), "HOME": str(self.checkout)}
        return {**passed_on, **own, "WORKBOOK_ALIVE_SECONDS": "1"}

    def words(self, words: Sequence[str]) -> list[str]:
        """The command line of a command of ./workbook."""
        return [str(ENVIRONMENT / "bin/python"), "-P", "-m", "atomic_lib", *words]

    @contextmanager
    def running(self, *words: str, log: Path) -> Iterator[Background]:
        """Run a command of ./workbook until the block ends."""
        with command.running(self.words(words), log=log, cwd=self.checkout, env=self.environment) as process:
            yield process

    def run(self, *words: str) -> command.Completed:
        """Run a command of ./workbook; raises CommandError if it fails."""
        return command.run(self.words(words), cwd=self.checkout, env=self.environment, timeout_seconds=600)


def machine(directory: Path, *, cache: Path | None = None) -> Machine:
    """A machine in ``directory``; ``cache``: one that it shares, in place of its own."""
    for folder in _COPIED:
        shutil.copytree(CHECKOUT / folder, directory / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "requirements-cluster.lock", directory)
    if cache is None:
        cache = directory / "cache"
        cache.mkdir()
        (cache / "tools").symlink_to(cache_directory() / "tools")
    return Machine(directory, cache)


def make_certificates(tools: Tools, directory: Path) -> None:
    """A CA, and a certificate with its key, as docs/sweep.md says."""
    directory.mkdir()
    here = [Bind(directory, "/mnt/out", writable=True)]
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    ca = ["-CA", "/mnt/out/ca.pem", "-CAkey", "/mnt/out/ca.key"]
    for words in (
        [*new, "-subj", "/CN=sweeps CA", "-keyout", "/mnt/out/ca.key", "-out", "/mnt/out/ca.pem"],
        [*new, "-subj", "/CN=sweeps", *ca, "-keyout", "/mnt/out/key.pem", "-out", "/mnt/out/cert.pem"],
    ):
        tools.run(words, binds=here, rights="root")


def wait_for(what: Callable[[], object], process: Background, log: Path) -> None:
    """Wait until ``what`` is true, or the process has ended, which is an error."""
    end = time.monotonic() + _START_SECONDS
    while not what():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"waited in vain: {log.read_text(errors='replace')}")
        time.sleep(0.05)
