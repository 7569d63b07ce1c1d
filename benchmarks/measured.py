"""A measured table: raw values with their source, as JSON in ``docs/measured`` and as Markdown in a page."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import ValidationError, model_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.model import Model

Format = Literal["text", "count", "seconds", "bytes", "memory", "percent", "ratio"]
Value = str | int | float | tuple[float, ...] | None
"""A cell. Several numbers are samples; None was not measured; a text is shown as it is, whatever the column."""


class Source(Model):
    """Where the figures come from. ``date``: UTC, ISO 8601. ``load_1m``: the load average before the start."""

    command: str
    revision: str | None = None
    date: str | None = None
    machine: str | None = None
    load_1m: float | None = None
    note: str = ""


class Column(Model):
    """A column. ``difference``: rows after the first show the difference from the first one."""

    title: str
    format: Format = "text"
    difference: bool = False


class MeasuredTable(Model):
    """A table with raw values: sizes in bytes, times in seconds."""

    name: str
    caption: str
    source: Source
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]

    @model_validator(mode="after")
    def _is_complete(self) -> "MeasuredTable":
        if not self.rows:
            raise ValueError("a table needs at least one row")
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"row {row[0]!r} has {len(row)} values for {len(self.columns)} columns")
            wrong = [
                column.title
                for column, value in zip(self.columns, row, strict=True)
                if column.format == "text" and not isinstance(value, str | None)
            ]
            if wrong:
                raise ValueError(f"row {row[0]!r}: {wrong[0]!r} is a text column and holds a number")
        return self

    def markdown(self) -> str:
        """The caption, the table, and a line with the source."""
        rule = ["---" if column.format == "text" else "---:" for column in self.columns]
        header = [column.title for column in self.columns]
        rows = [_cells(self.columns, row, None if row is self.rows[0] else self.rows[0]) for row in self.rows]
        lines = [f"| {' | '.join(row)} |" for row in (header, rule, *rows)]
        return f"{self.caption}:\n\n" + "\n".join(lines) + f"\n\n{_source_line(self.source)}\n"


def read_table(path: Path) -> MeasuredTable:
    """The table in a JSON file; raises WorkbookError when it is none, or has another name than its file."""
    try:
        table = MeasuredTable.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        raise WorkbookError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if table.name != path.stem:
        raise WorkbookError(f"{path}: name: must be {path.stem!r}, as the file is named, not {table.name!r}")
    return table


def write_table(table: MeasuredTable, directory: Path) -> None:
    """Write the table as ``NAME.json``."""
    write_text(directory / f"{table.name}.json", table.model_dump_json(indent=1, exclude_defaults=True) + "\n")


def spread(values: Sequence[float], format: Format) -> str:
    """The median of samples, with the smallest and the largest: ``15.1 s (14.2 to 16.0)``."""
    middle = quantity(median(values), format)
    if len(values) == 1:
        return middle
    least, most = (quantity(value, format).split(" ")[0] for value in (min(values), max(values)))
    return f"{middle} ({least} to {most})"


def quantity(value: float, format: Format) -> str:
    """A number with its unit; whole seconds are shown as measured, without decimals."""
    match format:
        case "seconds":
            whole = isinstance(value, int) or value >= 100
            return f"{value:.0f} s" if whole else f"{value:.1f} s"
        case "memory":
            return f"{value / 2**20:.0f} MiB"
        case "bytes":
            return _decimal_bytes(value)
        case "percent":
            return f"{value:.0f} %"
        case "ratio":
            return f"{value:.2f}"
        case _:
            return f"{value:,.0f}"


def _decimal_bytes(value: float) -> str:
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= factor:
            return f"{value / factor:.2f} GB" if unit == "GB" else f"{value / factor:.1f} {unit}"
    return f"{value:.0f} B"


def _cells(columns: Sequence[Column], row: Sequence[Value], first: Sequence[Value] | None) -> list[str]:
    """One row as text; ``first``: the row that it is compared with, None for that row itself."""
    before = first or [None] * len(row)
    return [_cell(column, value, base) for column, value, base in zip(columns, row, before, strict=True)]


def _cell(column: Column, value: Value, base: Value) -> str:
    if value is None:
        return "–"  # noqa: RUF001
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return spread(value, column.format)
    if column.difference and isinstance(base, int | float):
        change = value - base
        return f"{'+' if change >= 0 else '−'}{quantity(abs(change), column.format)}"  # noqa: RUF001
    return quantity(value, column.format)


def _source_line(source: Source) -> str:
    parts = [f"Source: {source.command}"]
    if source.revision:
        dirty = "-dirty" if source.revision.endswith("-dirty") else ""
        parts.append(f"revision {source.revision[:12]}{dirty}")
    if source.date:
        parts.append(source.date)
    if source.machine:
        parts.append(source.machine)
    if source.load_1m is not None:
        parts.append(f"load {source.load_1m:.1f} before the start")
    return ", ".join(parts) + "." + (f" {source.note}" if source.note else "")
