"""The cells of a table: texts, figures with their units, verdicts.

A figure that is missing is shown as a dash with the reason below it, never as 0.
"""

from dataclasses import dataclass
from html import escape
from typing import Literal

from atomic_lib.report.elements.values import NBSP, quantity
from atomic_lib.results.analysis.metrics import Unit

MISSING = "—"

Kind = Literal["text", "number", "good", "bad", "missing"]


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
    """A tick or a cross, distinguishable without colour."""
    return Cell(f"✓ {text or 'passed'}" if passed else f"✗ {text or 'failed'}", note, "good" if passed else "bad")
