"""What changed over time as a list, each change with a link to the run in which it came."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from atomic_lib.report.elements.blocks import Details, Paragraph, Shown, Stack
from atomic_lib.report.elements.values import plural, signed
from atomic_lib.report.site.site_pages import link, run_page
from atomic_lib.report.tables.trend_tables import trend_causes
from atomic_lib.report.text.content_words import day, moment
from atomic_lib.results.history.figure_trends import Trend


@dataclass(frozen=True)
class _Change:
    """A change of a figure that variants have in common."""

    created: str
    run: str
    text: str
    variants: tuple[str, ...]


@dataclass(frozen=True)
class _Items:
    """Changes as a list on the page ``path``; ``named``: whether the items say which variants changed.

    ``busy_days``: the days with several runs, whose time is shown, too.
    """

    changes: tuple[_Change, ...]
    path: str
    named: bool
    busy_days: frozenset[str]

    def _repr_html_(self) -> str:
        return f'<ul class="conclusions">{"".join(map(self._item, self.changes))}</ul>'

    def _item(self, change: _Change) -> str:
        target = escape(link(self.path, run_page(change.run)))
        variants = f" <strong>{escape(', '.join(change.variants))}:</strong>" if self.named else ""
        return f'<li><a href="{target}">{self._when(change)}</a>,{variants} {escape(change.text)}</li>'

    def _when(self, change: _Change) -> str:
        date = day(change.created)
        return f"{date}, {moment(change.created)[-5:]}" if date in self.busy_days else date


def change_list(trends: Sequence[Trend], path: str, most: int) -> Shown:
    """The changes of these trends, the newest first; more than ``most`` of them are folded away."""
    found = _changes(trends)
    named = len({trend.variant for trend in trends}) > 1
    days = Counter(day(created) for created in {change.created for change in found})
    busy = frozenset(date for date, runs in days.items() if runs > 1)
    parts: list[Shown] = [_Items(found[:most], path, named, busy)]
    if len(found) > most:
        rest = _Items(found[most:], path, named, busy)
        parts.append(Details(plural(len(found) - most, "earlier change"), rest))
    return Stack(tuple(parts)) if found else Paragraph("No figure has changed its level.")


def _changes(trends: Sequence[Trend]) -> tuple[_Change, ...]:
    found: dict[tuple[str, str, str], list[str]] = {}
    for trend in trends:
        for change in trend.changes:
            text = f"{trend.title} {signed(change.amount, trend.unit)}: {trend_causes(change, trend)}"
            found.setdefault((change.after.created, change.after.run, text), []).append(trend.variant)
    return tuple(_Change(*key, tuple(variants)) for key, variants in sorted(found.items(), reverse=True))
