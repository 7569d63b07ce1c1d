"""``python -m benchmarks``: run the benchmarks, print their tables, keep them as JSON."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.run_lock import run_lock
from atomic_lib.base.store import remove_tree, require_space
from atomic_lib.results.record import git_revision
from atomic_lib.tools.machine import describe_machine
from atomic_lib.tools.user_namespace import enter, is_inside, require_namespace
from benchmarks.builds import OUTPUT, SCRATCH
from benchmarks.compose_ratio import compare_with_least
from benchmarks.docs import publish
from benchmarks.measured import MeasuredTable, Source, write_table
from benchmarks.successive_builds import build_in_succession

_NEED_BYTES = 12_000_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.mkosi and options.benchmark == "successive":
        parser.error("--mkosi: only the ratio compares with mkosi; choose ratio or all")
    try:
        require_namespace()
        with run_lock(OUTPUT, "python -m benchmarks"):
            remove_tree(SCRATCH)
            require_space(OUTPUT, _NEED_BYTES, "benchmarks")
            try:
                tables = _run(options)
            finally:
                remove_tree(SCRATCH)
        directory = OUTPUT / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
        directory.mkdir()
        for table in tables:
            write_table(table, directory)
            print(table.markdown())
        if options.docs:
            publish(tables)
    except WorkbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> list[MeasuredTable]:
    source = measured_now(f"`python -m benchmarks {options.benchmark}{' --mkosi' if options.mkosi else ''}`")
    benchmarks: dict[str, Callable[[], list[MeasuredTable]]] = {
        "ratio": lambda: compare_with_least(options.rounds, options.timeout, source, mkosi=options.mkosi),
        "successive": lambda: build_in_succession(options.timeout, source),
    }
    chosen = [run for name, run in benchmarks.items() if options.benchmark in (name, "all")]
    return [table for run in chosen for table in run()]


def measured_now(command: str) -> Source:
    """The source of figures that this machine measures now."""
    machine = describe_machine()
    return Source(
        command=command,
        revision=git_revision(CHECKOUT),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=f"{machine.cpus} CPUs ({machine.cpu_model}), {machine.memory_bytes / 2**30:.0f} GiB",
        load_1m=round(os.getloadavg()[0], 2),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what the workbook itself costs. Writes build/benchmarks/TIME/*.json. Needs 12 GB of "
        "disk space and, for all benchmarks, up to 10 minutes on a machine that does nothing else.",
    )
    parser.add_argument(
        "benchmark", nargs="?", choices=["ratio", "successive", "all"], default="all",
        help="ratio: our compose against dnf --installroot, dracut and ostree commit alone; successive: variants built "
        "one after another from an empty store (default: all)",
    )  # fmt: skip
    parser.add_argument("--rounds", type=_positive, default=3, help="rounds of the ratio (default: 3)")
    parser.add_argument("--timeout", type=_positive, default=600, metavar="SECONDS",
                        help="time limit of one measurement (default: 600)")  # fmt: skip
    parser.add_argument("--mkosi", action="store_true", help="in the ratio, also mkosi with the same RPMs; downloads "
                        "about 200 MB of Debian packages the first time")  # fmt: skip
    parser.add_argument("--docs", action="store_true", help="replace these tables in the documentation")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


if __name__ == "__main__":
    if is_inside():
        sys.exit(main())
    enter([sys.executable, "-m", "benchmarks", *sys.argv[1:]])
