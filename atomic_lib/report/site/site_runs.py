"""What a site says of runs, from the history: when each was made, whether it is whole, and what became of it."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from atomic_lib.report.elements.cells import Cell
from atomic_lib.report.elements.values import plural
from atomic_lib.report.text.content_words import STANDIN_NOTICE
from atomic_lib.solve.lock import STANDIN_VENDOR


@dataclass(frozen=True)
class RecordedRun:
    """A run in the history. ``created``: UTC, ISO 8601. ``failed``: its variants that failed.

    ``whole``: whether it is one of the whole study, as its file says it. ``breaches``: how many budgets it broke.
    """

    run: str
    study: str
    title: str
    created: str
    ok: bool
    whole: bool
    variants: tuple[str, ...]
    failed: tuple[str, ...]
    breaches: int

    @property
    def can_be_latest(self) -> bool:
        """Whether it is whole and successful, and keeps its budgets: only such a run heads the site."""
        return self.ok and self.whole and not self.breaches

    @property
    def verdict(self) -> str:
        """What became of it, as words."""
        broken = plural(self.breaches, "broken budget") if self.breaches else ""
        failed = f"failed: {', '.join(self.failed)}" if self.failed else "" if self.ok else "a boot failed"
        return "; ".join(filter(None, (failed, broken)))

    def verdict_cell(self) -> Cell:
        """The same as a cell of a table."""
        note = "" if self.whole else "a part of the study, or with other parameters"
        return Cell(f"✗ {self.verdict}", note, "bad") if self.verdict else Cell("✓ complete", note, "good")


def recorded_runs(history: sqlite3.Connection) -> tuple[RecordedRun, ...]:
    """All runs, the newest first."""
    variants: dict[str, list[str]] = {}
    failed: dict[str, list[str]] = {}
    for run, variant, passed in history.execute("SELECT run, variant, passed FROM builds ORDER BY build"):
        variants.setdefault(run, []).append(variant)
        if not passed:
            failed.setdefault(run, []).append(variant)
    broken = dict(history.execute("SELECT run, count(*) FROM breaches JOIN builds USING (build) GROUP BY run"))
    rows = history.execute(
        "SELECT run, study, title, created, status = 'ok', whole FROM runs ORDER BY created DESC, run DESC"
    )
    return tuple(
        RecordedRun(run, study, title, created, bool(ok), bool(whole), tuple(variants.get(run, ())),
                    tuple(failed.get(run, ())), broken.get(run, 0))
        for run, study, title, created, ok, whole in rows
    )  # fmt: skip


def latest_of(runs: Sequence[RecordedRun], study: str) -> RecordedRun | None:
    """The newest run of a study that can be its latest one; ``runs``: the newest first."""
    return next((run for run in runs if run.study == study and run.can_be_latest), None)


def standin_variants(history: sqlite3.Connection) -> dict[str, str]:
    """The notice of stand-in content, by the names of the variants that were ever built of it."""
    rows = history.execute(
        "SELECT DISTINCT variant FROM builds WHERE content = 'standin' OR lock IN"
        " (SELECT lock FROM locked_packages WHERE substr(vendor, 1, ?) = ?)",
        (len(STANDIN_VENDOR), STANDIN_VENDOR),
    )
    return {variant: STANDIN_NOTICE for (variant,) in rows}
