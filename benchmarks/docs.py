"""``python -m benchmarks.docs``: insert the tables of ``docs/measured`` into README.md and the pages of ``docs``."""

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.paths import CHECKOUT
from benchmarks.measured import MeasuredTable, read_table, write_table
from benchmarks.run_tables import run_tables

RUN_PAGES = {
    "sizes": "docs/measuring.md",
    "boots": "docs/measuring.md",
    "stages": "docs/performance.md",
    "labels": "docs/selinux.md",
    "provisioning": "docs/provisioning.md",
    "injected-faults": "docs/provisioning.md",
}
"""The page of each table of a run: there its markers are added when no page has them."""
_MARKED = re.compile(r"<!-- measured: ([\w-]+) -->\n(.*?)<!-- end -->", re.DOTALL)
_MARKERS = re.compile(r"^<!-- (?:measured: [\w-]+|end) -->$", re.MULTILINE)


def main(words: Sequence[str] | None = None, checkout: Path = CHECKOUT) -> int:
    """Run one command; the exit status is 1 where a check finds problems."""
    options = _parser().parse_args(words)
    try:
        if options.command == "check":
            found = problems(checkout)
            for problem in found:
                print(problem, file=sys.stderr)
            return 1 if found else 0
        if options.command == "from-run":
            publish(run_tables(options.run), checkout)
        else:
            insert(checkout)
    except WorkbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def publish(tables: Iterable[MeasuredTable], checkout: Path = CHECKOUT) -> None:
    """Write tables to ``docs/measured`` and insert them; a table of a run that no page shows is added to its page."""
    for table in tables:
        shown = table.name in shown_names(checkout)
        if not shown and table.name not in RUN_PAGES:
            raise WorkbookError(f"no page has the marker <!-- measured: {table.name} -->")
        write_table(table, checkout / "docs/measured")
        if not shown:
            page = checkout / RUN_PAGES[table.name]
            write_text(page, f"{page.read_text()}\n<!-- measured: {table.name} -->\n<!-- end -->\n")
    insert(checkout)


def insert(checkout: Path = CHECKOUT) -> None:
    """Render every table between its markers; raises WorkbookError for a marker without a table."""
    tables = read_tables(checkout)
    for page in pages(checkout):
        text = page.read_text()
        new = with_tables(text, tables)
        if new != text:
            write_text(page, new)
            print(f"{page.relative_to(checkout)}: updated")


def problems(checkout: Path = CHECKOUT) -> list[str]:
    """What is wrong with the tables of the documentation, one sentence each."""
    tables = read_tables(checkout)
    shown = shown_names(checkout)
    found = [f"docs/measured/{name}.json: no page shows it" for name in sorted(tables.keys() - shown)]
    found += [f"marker {name}: there is no docs/measured/{name}.json" for name in sorted(shown - tables.keys())]
    for page in pages(checkout):
        name, text = page.relative_to(checkout), page.read_text()
        if len(_MARKERS.findall(text)) != 2 * len(_MARKED.findall(text)):
            found.append(f"{name}: a marker has no counterpart")
        found += [
            f"{name}: table {table} differs from its file; run python -m benchmarks.docs"
            for table, body in _MARKED.findall(text)
            if table in tables and body != tables[table].markdown()
        ]
    return found


def with_tables(text: str, tables: Mapping[str, MeasuredTable]) -> str:
    """The text of a page with every marked region rendered anew."""

    def rendered(match: re.Match[str]) -> str:
        if match[1] not in tables:
            raise WorkbookError(f"marker {match[1]}: there is no docs/measured/{match[1]}.json")
        return f"<!-- measured: {match[1]} -->\n{tables[match[1]].markdown()}<!-- end -->"

    return _MARKED.sub(rendered, text)


def read_tables(checkout: Path) -> dict[str, MeasuredTable]:
    """All measured tables, by name."""
    return {path.stem: read_table(path) for path in sorted((checkout / "docs/measured").glob("*.json"))}


def shown_names(checkout: Path) -> set[str]:
    """The names of all tables that a page shows."""
    return {name for page in pages(checkout) for name, _ in _MARKED.findall(page.read_text())}


def pages(checkout: Path) -> list[Path]:
    """README.md and the pages of docs."""
    return [checkout / "README.md", *sorted((checkout / "docs").glob("*.md"))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.docs", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("insert", help="render docs/measured/*.json into the pages (the default)")
    commands.add_parser("check", help="report stale tables, markers without a file and files without a marker")
    from_run = commands.add_parser("from-run", help="write the tables of a finished run and insert them")
    from_run.add_argument("run", type=Path, metavar="DIRECTORY", help="build/runs/ID, or build/runs/latest-STUDY")
    return parser


if __name__ == "__main__":
    sys.exit(main())
