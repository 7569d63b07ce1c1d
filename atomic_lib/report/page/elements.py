"""Tables and texts that show themselves in a notebook and in a page.

A figure that is missing is shown as a dash with the reason below it, never as 0.
Everything that can be linked to has an anchor made of its own words, not of its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal, Protocol

from atomic_lib.results.values import NBSP, Unit, delta, plural, quantity, signed, slug

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]

__all__ = [
    "NBSP", "Alert", "Cell", "Details", "Kind", "Paragraph", "Section", "Sentences", "Shown", "Stack", "Table", "Unit",
    "delta", "how_measured", "missing", "named_rows", "number", "plural", "quantity", "share", "signed", "slug",
    "verdict",
]  # fmt: skip

MISSING = "—"
LONG_ROWS = 24
"""A table with more rows scrolls in a box of its own and can be searched."""

Kind = Literal["text", "number", "good", "bad", "missing"]


class Shown(Protocol):
    """Anything that a notebook shows as HTML."""

    def _repr_html_(self) -> str: ...


@dataclass(frozen=True)
class Cell:
    """One cell: a text, below it a smaller note (a delta, a reason), and ``more`` folded away.

    ``value``: what the cell is sorted by, where it is a figure.
    """

    text: str
    note: str = ""
    kind: Kind = "text"
    link: str = ""
    value: float | None = None
    more: str = ""

    def html(self) -> str:
        """The content of the cell."""
        text = escape(self.text)
        if self.link:
            text = f'<a href="{escape(self.link)}">{text}</a>'
        if self.more:
            text = f"<details><summary>{text}</summary>{escape(self.more)}</details>"
        end_of_line = "" if self.more else "<br>"  # what folds is a block of its own
        return text + (f"{end_of_line}<small>{escape(self.note)}</small>" if self.note else "")


def missing(reason: str) -> Cell:
    """The cell of a figure that is not there."""
    return Cell(MISSING, reason, "missing")


def number(value: float | None, unit: Unit, *, note: str = "", reason: str = "not measured") -> Cell:
    """A figure with its unit, or a dash with ``reason``."""
    return missing(reason) if value is None else Cell(quantity(value, unit), note, "number", value=value)


def share(part: float | None, whole: float | None) -> Cell:
    """A part of a whole in percent."""
    if part is None or not whole:
        return missing("not measured")
    return Cell(f"{100 * part / whole:.1f}{NBSP}%", kind="number", value=part / whole)


def verdict(passed: bool, text: str = "", note: str = "") -> Cell:
    """A tick or a cross, told apart without colour."""
    return Cell(f"✓ {text or 'passed'}" if passed else f"✗ {text or 'failed'}", note, "good" if passed else "bad")


@dataclass(frozen=True)
class Table:
    """A table for people (``rows``) and its tidy data (``frame``).

    The first cell of each row is the row's heading; the last ``feet`` rows (sums) stay below
    when the table is sorted. ``notes``: sentences below the table. ``how``: unit, n, interval
    and method. ``csv``: the file with the same figures. ``anchor``: by default made of the
    caption up to its first colon. ``empty``: what is said when there are no rows.
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
    empty: str = "Not measured."
    fixed: bool = False

    @property
    def frame(self) -> "pandas.DataFrame":
        """The figures themselves, one observation per row, in the units of the column names; NA where missing."""
        import pandas

        return pandas.DataFrame.from_records(list(self.records)).convert_dtypes()

    def _repr_html_(self) -> str:
        name = self.anchor or slug(self.caption.partition(":")[0])
        csv = f' <a class="csv" href="{escape(self.csv)}">CSV</a>' if self.csv and self.rows else ""
        caption = f'<p class="caption">{escape(self.caption)}{_anchor_link(name)}{csv}</p>'
        body = self._table_html() if self.rows else f"<p>{escape(self.empty)}</p>"
        notes = "".join(f'<p class="note">{escape(note)}</p>' for note in self.notes if self.rows)
        how = how_measured(self.how) if self.rows else ""
        return f'<div class="block" id="{name}">{caption}{body}{notes}{how}</div>'

    def _table_html(self) -> str:
        ends = self._columns_of_figures()
        head = "".join(
            f'<th scope="col"{_end(end)}>{escape(title)}</th>' for title, end in zip(self.header, ends, strict=True)
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
        """Which columns hold figures, and so are aligned at their end; one without any value goes with the others."""
        kinds: list[set[str]] = [{cell.kind for cell in column} for column in zip(*self.rows, strict=True)]
        some = any("number" in column for column in kinds)
        return ["number" in column or (some and bool(column) and column <= {"missing"}) for column in kinds]

    def __repr__(self) -> str:
        return f"{self.caption}: {len(self.rows)} rows; .frame holds the data"


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of text."""

    text: str

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.text)}</p>"


@dataclass(frozen=True)
class Details:
    """Something long, folded away below its summary."""

    summary: str
    content: Shown

    def _repr_html_(self) -> str:
        return f'<details class="fold"><summary>{escape(self.summary)}</summary>{self.content._repr_html_()}</details>'


@dataclass(frozen=True)
class Stack:
    """Several things, one below the other."""

    parts: tuple[Shown, ...]

    def _repr_html_(self) -> str:
        return "".join(part._repr_html_() for part in self.parts)


@dataclass(frozen=True)
class Section:
    """Parts below a heading of their own; without parts there is no heading either."""

    heading: str
    text: str
    parts: tuple[Shown, ...]

    def _repr_html_(self) -> str:
        if not self.parts:
            return ""
        name = slug(self.heading)
        heading = f'<h2 id="{name}">{escape(self.heading)}{_anchor_link(name)}</h2>'
        text = f"<p>{escape(self.text)}</p>" if self.text else ""
        return heading + text + "".join(part._repr_html_() for part in self.parts)


@dataclass(frozen=True)
class Sentences:
    """A list of sentences, each with a bold beginning."""

    items: tuple[tuple[str, str], ...]

    def _repr_html_(self) -> str:
        lines = (f"<li><strong>{escape(head)}</strong> {escape(text)}</li>" for head, text in self.items)
        return f'<ul class="conclusions">{"".join(lines)}</ul>'

    def __repr__(self) -> str:
        return "\n".join(f"{head} {text}" for head, text in self.items)


@dataclass(frozen=True)
class Alert:
    """A failure: heading, cause, next step, the log folded away, links to more."""

    heading: str
    message: str
    hint: str = ""
    log: str = ""
    links: tuple[tuple[str, str], ...] = ()

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>✗ {escape(self.heading)}</strong></p><pre>{escape(self.message)}</pre>"]
        if self.hint:
            parts.append(f"<p>Next step: {escape(self.hint)}</p>")
        if self.log:
            parts.append(
                f"<details open><summary>Last lines of the log</summary><pre>{escape(self.log)}</pre></details>"
            )
        if self.links:
            links = ", ".join(f'<a href="{escape(path)}">{escape(text)}</a>' for text, path in self.links)
            parts.append(f"<p>More: {links}</p>")
        return f'<div class="alert" role="alert">{"".join(parts)}</div>'


def how_measured(text: str) -> str:
    """The unit, n, interval and method of a figure, folded away; nothing for an empty text."""
    return f'<details class="how"><summary>How measured</summary><p>{escape(text)}</p></details>' if text else ""


def named_rows(caption: str, pairs: Sequence[tuple[str, str]]) -> Table:
    """A table of names and values."""
    rows = tuple((Cell(name), Cell(value) if value else missing("")) for name, value in pairs)
    records = tuple({"name": name, "value": value} for name, value in pairs)
    return Table(caption, ("", "value"), rows, records, fixed=True)


def _anchor_link(name: str) -> str:
    return f'<a class="anchor-link" href="#{name}" aria-label="link to this part">#</a>'


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
