"""Tables that render in notebooks and pages, and give their data as a frame.

Everything that can be linked to has an anchor made of its own words, not of its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from atomic_lib.report.elements.blocks import anchor_link, empty, how_measured
from atomic_lib.report.elements.cells import Cell, missing
from atomic_lib.report.elements.values import slug

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]

LONG_ROWS = 24
"""A table with more rows scrolls in a box of its own and can be searched."""

NOT_MEASURED = "Not measured."


@dataclass(frozen=True)
class Table:
    """A table for people (``rows``) and its tidy data (``frame``).

    The first cell of each row is the row's heading; the last ``feet`` rows (sums) stay below
    when the table is sorted. ``notes``: sentences below the table. ``how``: unit, n, interval
    and method. ``csv``: the file with the same figures. ``anchor``: by default made of the
    caption up to its first colon. ``empty``: the text when there are no rows.
    ``fixed``: the rows' order has a meaning, so the table is not sorted.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    records: tuple[Mapping[str, object], ...] = ()
    notes: tuple[str, ...] = ()
    how: str = ""
    csv: str = ""
    anchor: str = ""
    feet: int = 0
    empty: str = NOT_MEASURED
    fixed: bool = False

    @property
    def frame(self) -> "pandas.DataFrame":
        """The figures themselves, one observation per row, in the units of the column names; NA where missing."""
        import pandas

        return pandas.DataFrame.from_records(list(self.records)).convert_dtypes()

    def _repr_html_(self) -> str:
        if not self.rows and self.empty == NOT_MEASURED:
            return empty(f"{self.caption}: not measured.")
        name = self.anchor or slug(self.caption.partition(":")[0])
        csv = f' <a class="csv" href="{escape(self.csv)}">CSV</a>' if self.csv and self.rows else ""
        caption = f'<p class="caption">{escape(self.caption)}{anchor_link(name)}{csv}</p>'
        body = self._table_html() if self.rows else f"<p>{escape(self.empty)}</p>"
        notes = "".join(f'<p class="note">{escape(note)}</p>' for note in self.notes if self.rows)
        how = how_measured(self.how) if self.rows else ""
        return f'<div class="block" id="{name}">{caption}{body}{notes}{how}</div>'

    def _table_html(self) -> str:
        ends = self._columns_of_figures()
        head = "".join(
            f'<th scope="col"{_end(end)}>{escape(title)}</th>' if title else "<td></td>"
            for title, end in zip(self.header, ends, strict=True)
        )
        rows = [f"<tr>{_row_html(row, ends)}</tr>" for row in self.rows]
        body = len(rows) - self.feet
        foot = f"<tfoot>{''.join(rows[body:])}</tfoot>" if self.feet else ""
        fixed = ' class="fixed"' if self.fixed else ""
        long = " long" if len(rows) > LONG_ROWS else ""
        return (
            f'<div class="scroll{long}" role="region" tabindex="0" aria-label="{escape(self.caption)}"><table{fixed}>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows[:body])}</tbody>{foot}</table></div>"
        )

    def _columns_of_figures(self) -> list[bool]:
        """Which columns hold figures and are aligned at their end; a column without any value is aligned likewise."""
        kinds: list[set[str]] = [{cell.kind for cell in column} for column in zip(*self.rows, strict=True)]
        some = any("number" in column for column in kinds)
        return ["number" in column or (some and bool(column) and column <= {"missing"}) for column in kinds]

    def __repr__(self) -> str:
        return f"{self.caption}: {len(self.rows)} rows; .frame holds the data"


def named_rows(caption: str, pairs: Sequence[tuple[str, str]]) -> Table:
    """A table of names and values."""
    rows = tuple((Cell(name), Cell(value) if value else missing("")) for name, value in pairs)
    records = tuple({"name": name, "value": value} for name, value in pairs)
    return Table(caption, ("", "value"), rows, records, fixed=True)


def _end(end: bool, kind: str = "") -> str:
    """The class attribute of a cell; a column with figures is aligned at its end."""
    names = " ".join(name for name in (kind if kind != "text" else "", "end" if end else "") if name)
    return f' class="{names}"' if names else ""


def _row_html(row: tuple[Cell, ...], ends: Sequence[bool]) -> str:
    heading, *cells = row
    data = "".join(
        f"<td{_end(end, cell.kind)}{_value(cell)}>{cell.html()}</td>" for cell, end in zip(cells, ends[1:], strict=True)
    )
    name = heading.html().replace(".service", "<wbr>.service")
    return f'<th scope="row">{name}</th>{data}'


def _value(cell: Cell) -> str:
    return f' data-value="{cell.value:.10g}"' if cell.value is not None else ""
