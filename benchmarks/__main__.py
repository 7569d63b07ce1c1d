"""``python -m benchmarks``: all of them, or those that are named; a Markdown table and JSON."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, cache_directory
from atomic_lib.base.store import remove_tree, require_space, run_lock
from atomic_lib.guest.vm.host_load import describe_host
from atomic_lib.results.record import git_revision
from atomic_lib.tools.tools_tree import open_tools, tool_versions
from benchmarks.candidates import OUTPUT, SCRATCH
from benchmarks.compose_ratio import compare_with_bare_dnf
from benchmarks.figures import Section
from benchmarks.session import build_in_one_session

_NEED_BYTES = 12_000_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; the exit status."""
    words = _parser().parse_args(arguments)
    runs: dict[str, Callable[[], list[Section]]] = {
        "ratio": lambda: [compare_with_bare_dnf(words.rounds, words.timeout)],
        "session": lambda: build_in_one_session(words.timeout),
    }
    try:
        if os.geteuid() != 0:
            raise WorkbookError("composing needs root", hint="sudo .venv/bin/python -m benchmarks")
        with run_lock(OUTPUT):
            remove_tree(SCRATCH)
            require_space(OUTPUT, _NEED_BYTES, "benchmarks")
            machine = _machine()
            try:
                sections = [section for name in runs if words.benchmark in (name, "all") for section in runs[name]()]
            finally:
                remove_tree(SCRATCH)
            print(_write(sections, machine))
    except WorkbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time the workbook's stages and write build/benchmarks/TIME.json and .md. Needs root, 12 GB of "
        "disk and, all together, up to 10 minutes on a machine that does nothing else.",
    )
    parser.add_argument(
        "benchmark", nargs="?", choices=["ratio", "session", "all"], default="all",
        help="ratio: our compose against a bare dnf --installroot of the same packages; session: five variants from "
        "an empty store, the first again, the first with a package more, disk used (default: all)",
    )  # fmt: skip
    parser.add_argument("--rounds", type=_positive, default=3, help="pairs of the ratio (default: 3)")
    parser.add_argument("--timeout", type=_positive, default=600, metavar="SECONDS",
                        help="the most that one measurement may take (default: 600)")  # fmt: skip
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def _machine() -> dict[str, Any]:
    tools = open_tools(cache_directory())
    host = {**asdict(describe_host(tools)), "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}
    return {"git_revision": git_revision(CHECKOUT), "host": host, "tools": tool_versions(tools)}


def _write(sections: Sequence[Section], machine: dict[str, Any]) -> str:
    """Keep the figures; returns the tables."""
    host = machine["host"]
    where = (
        f"{host['cpu_model']}, {host['cpus']} CPUs, {host['memory_bytes'] / 2**30:.0f} GiB, "
        f"load {host['load_1m']:.1f} before the start; revision {(machine['git_revision'] or 'unknown')[:12]}."
    )
    text = "\n".join([where + "\n", *(section.markdown() for section in sections)])
    data = {**machine, **{name: value for section in sections for name, value in section.data.items()}}
    stem = OUTPUT / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
    stem.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n")
    stem.with_suffix(".md").write_text(text)
    return text


if __name__ == "__main__":
    sys.exit(main())
