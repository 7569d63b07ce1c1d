"""The command ``sweep``."""

import argparse
from pathlib import Path
from typing import Any

from atomic_lib.pipeline.schedule.schedule_commands import whole_number
from atomic_lib.pipeline.sweep.cluster.cluster_commands import (
    add_cluster_commands,
    add_scheduler_option,
    scheduler_of,
)
from atomic_lib.pipeline.variant_options import add_content_options, overrides_of, variant_of


def add_sweep_commands(commands: Any) -> None:
    """Add ``sweep``, and the commands of a cluster, to the parser's."""
    parser = commands.add_parser("sweep", help="solve many variants, and show what each choice costs")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", metavar="FILE", help="a sweep file, or a study with cells; see docs/sweep.md")
    what.add_argument("--without-each", metavar="VARIANT", help="a variant, without each of its packages alone")
    parser.add_argument(
        "--compose", type=whole_number, default=0, metavar="N",
        help="install the packages of N variants, and compare the bytes of their files with those predicted",
    )  # fmt: skip
    parser.add_argument(
        "--boot", type=whole_number, default=0, metavar="N",
        help="build and boot N variants, counted, and show which have the smallest image or the shortest boot",
    )  # fmt: skip
    add_scheduler_option(parser)
    parser.set_defaults(call=_sweep, named=lambda options: [options.without_each] if options.without_each else [])
    add_content_options(parser)
    add_cluster_commands(commands)


def _sweep(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.sweep.sweep_building import Amounts
    from atomic_lib.pipeline.sweep.sweep_run import run_sweep, sweep_without_each

    amounts, scheduler = Amounts(options.compose, options.boot), scheduler_of(options)
    if options.without_each:
        return sweep_without_each(variant_of(options, options.without_each), amounts, scheduler)
    return run_sweep(Path(options.file), overrides_of(options), amounts, scheduler)
