"""Values as text, and tables that show themselves in a notebook and in a page.

A figure that is missing is shown as a dash with the reason below it, never as 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]

MISSING = "—"
SMALL_BYTES = 100_000
"""Below it a size is told in kB: 0.0 MB would look like nothing."""
LARGEST_PERCENT = 999
"""Above it a percentage says less than the difference: the baseline was next to nothing."""
MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"

Unit = Literal["bytes", "count", "seconds"]
Kind = Literal["text", "number", "good", "bad", "missing"]


class Shown(Protocol):
    """Anything that a notebook shows as HTML."""

    def _repr_html_(self) -> str: ...


def quantity(value: float, unit: Unit) -> str:
    """A figure with its unit: 1 MB is 1,000,000 bytes."""
    if unit == "bytes" and 0 < value < SMALL_BYTES:
        return f"{value / 1e3:,.1f}{NBSP}kB"
    if unit == "bytes":
        return f"{value / 1e6:,.1f}{NBSP}MB" if value else "0"
    if unit == "seconds":
        return f"{value:,.1f}{NBSP}s"
    return f"{value:,.0f}"


def signed(value: float, unit: Unit) -> str:
    """A difference with its sign and unit; one that rounds to nothing is "±0"."""
    text = quantity(abs(value), unit)
    if not any(digit in text for digit in "123456789"):
        return "±0"
    return f"{MINUS if value < 0 else '+'}{text}"


def delta(value: float, base: float, unit: Unit) -> str:
    """The difference to the baseline, with the percentage where the baseline is not 0."""
    difference = signed(value - base, unit)
    if not base or difference == "±0":
        return difference
    percent = 100 * (value - base) / base
    if percent > LARGEST_PERCENT:
        return difference
    return f"{difference} ({MINUS if percent < 0 else '+'}{abs(percent):.0f}{NBSP}%)"


def plural(count: int, word: str) -> str:
    """ "1 package", "2 packages", "2 boots"."""
    return f"{count:,} {word if count == 1 else word + 's'}"


@dataclass(frozen=True)
class Cell:
    """One cell: a text, and below it a smaller note (a delta, a reason)."""

    text: str
    note: str = ""
    kind: Kind = "text"
    link: str = ""

    def html(self) -> str:
        """The content of the cell."""
        text = escape(self.text)
        if self.link:
            text = f'<a href="{escape(self.link)}">{text}</a>'
        return text + (f"<br><small>{escape(self.note)}</small>" if self.note else "")


def missing(reason: str) -> Cell:
    """The cell of a figure that is not there."""
    return Cell(MISSING, reason, "missing")


def number(value: float | None, unit: Unit, *, note: str = "", reason: str = "not measured") -> Cell:
    """A figure with its unit, or a dash with ``reason``."""
    return missing(reason) if value is None else Cell(quantity(value, unit), note, "number")


def verdict(passed: bool, text: str = "", note: str = "") -> Cell:
    """A tick or a cross, told apart without colour."""
    return Cell(f"✓ {text or 'passed'}" if passed else f"✗ {text or 'failed'}", note, "good" if passed else "bad")


@dataclass(frozen=True)
class Table:
    """A table for people (``rows``) and its tidy data (``frame``).

    The first cell of each row is the row's heading. ``notes``: sentences below the table.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    records: tuple[Mapping[str, object], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> "pandas.DataFrame":
        """The figures themselves, one observation per row, in the units of the column names; NA where missing."""
        import pandas

        return pandas.DataFrame.from_records(list(self.records)).convert_dtypes()

    def _repr_html_(self) -> str:
        ends = self._columns_of_figures()
        head = "".join(
            f'<th scope="col"{_end(end)}>{escape(title)}</th>' for title, end in zip(self.header, ends, strict=True)
        )
        body = "".join(f"<tr>{_row_html(row, ends)}</tr>" for row in self.rows)
        caption = f'<p class="caption">{escape(self.caption)}</p>'
        if not self.rows:
            return f"{caption}<p>Nothing to show.</p>"
        notes = "".join(f'<p class="note">{escape(note)}</p>' for note in self.notes)
        return (
            f'{caption}<div class="scroll" role="region" tabindex="0" aria-label="{escape(self.caption)}"><table>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
            f"{notes}"
        )

    def _columns_of_figures(self) -> list[bool]:
        """Which columns hold figures, and so are aligned at their end; one without any value goes with the others."""
        kinds: list[set[str]] = [{cell.kind for cell in column} for column in zip(*self.rows, strict=True)]
        some = any("number" in column for column in kinds)
        return [
            "number" in column or (some and "missing" in column) for column in kinds or [set() for _ in self.header]
        ]

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
        return f"<details><summary>{escape(self.summary)}</summary>{self.content._repr_html_()}</details>"


@dataclass(frozen=True)
class Stack:
    """Several things, one below the other."""

    parts: tuple[Shown, ...]

    def _repr_html_(self) -> str:
        return "".join(part._repr_html_() for part in self.parts)


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


def named_rows(caption: str, pairs: Sequence[tuple[str, str]]) -> Table:
    """A table of names and values."""
    rows = tuple((Cell(name), Cell(value) if value else missing("")) for name, value in pairs)
    records = tuple({"name": name, "value": value} for name, value in pairs)
    return Table(caption, ("", "value"), rows, records)


def _end(end: bool, kind: str = "") -> str:
    """The class attribute of a cell; a column with figures is aligned at its end."""
    names = " ".join(name for name in (kind, "end" if end else "") if name)
    return f' class="{names}"' if names else ""


def _row_html(row: tuple[Cell, ...], ends: Sequence[bool]) -> str:
    heading, *cells = row
    data = "".join(f"<td{_end(end, cell.kind)}>{cell.html()}</td>" for cell, end in zip(cells, ends[1:], strict=True))
    name = heading.html().replace(".service", "<wbr>.service")
    return f'<th scope="row">{name}</th>{data}'
