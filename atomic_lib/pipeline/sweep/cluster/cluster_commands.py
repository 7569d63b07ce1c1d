"""The commands ``sweep-worker`` and ``sweep-scheduler``, and the options that name a scheduler."""

import argparse
from pathlib import Path
from typing import Any

from atomic_lib.pipeline.schedule.schedule_commands import whole_number
from atomic_lib.pipeline.sweep.cluster.address import DEFAULT_ADDRESS, ClusterAddress, cluster_address


def add_cluster_commands(commands: Any) -> None:
    """Add both commands to the parser's."""
    worker = commands.add_parser("sweep-worker", help="solve variants of sweeps for a scheduler of dask.distributed")
    worker.add_argument(
        "--threads", type=whole_number, default=0, metavar="N", help="how many dnfs (as many as there are processors)"
    )
    worker.set_defaults(call=_worker)
    scheduler = commands.add_parser("sweep-scheduler", help="be the scheduler of sweeps on several machines")
    scheduler.set_defaults(call=_scheduler)
    for parser in (worker, scheduler):
        parser.add_argument(
            "address", nargs="?", default=DEFAULT_ADDRESS, metavar="ADDRESS",
            help=f"tls://HOST:PORT, or on this machine tcp://127.0.0.1:PORT ({DEFAULT_ADDRESS})",
        )  # fmt: skip
        parser.add_argument("--only-install", action="store_true", help="install dask.distributed, and do no more")
        _add_certificates(parser)


def add_scheduler_option(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``sweep`` that name a scheduler."""
    parser.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="let the workers of a dask scheduler solve: tls://HOST:PORT, or here tcp://127.0.0.1:PORT",
    )  # fmt: skip
    _add_certificates(parser)


def scheduler_of(options: argparse.Namespace) -> ClusterAddress | None:
    """The scheduler that ``sweep`` is to use; None: threads of its own. Raises WorkbookError as ``cluster_address``."""
    return cluster_address(options.scheduler, options.certificates) if options.scheduler else None


def _add_certificates(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--certificates", type=Path, metavar="DIRECTORY", help="ca.pem, cert.pem and key.pem, for tls://"
    )


def _worker(options: argparse.Namespace) -> int:
    if options.only_install:  # done by ./workbook
        return 0
    address = cluster_address(options.address, options.certificates)
    from atomic_lib.pipeline.sweep.cluster.worker import run_worker

    return run_worker(address, options.threads)


def _scheduler(options: argparse.Namespace) -> int:
    if options.only_install:
        return 0
    address = cluster_address(options.address, options.certificates)
    from atomic_lib.pipeline.sweep.cluster.worker import run_scheduler

    return run_scheduler(address)
