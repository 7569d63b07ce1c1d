"""The size of each package over time: the runs in which it got another version or another size."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from atomic_lib.results.history.package_growth import Shares, recorded_shares


@dataclass(frozen=True)
class PackageLevel:
    """From the run ``run`` on, a variant has a package in these ``versions``, with so many bytes in its tree.

    ``bytes``: None from the run on that no longer has it. ``created``: of the run (UTC, ISO 8601).
    """

    study: str
    variant: str
    run: str
    created: str
    versions: str
    bytes: int | None


def package_levels(history: sqlite3.Connection) -> dict[str, list[PackageLevel]]:
    """The levels of every package in every variant, oldest first, from the whole runs in which it did not fail."""
    found: dict[str, list[PackageLevel]] = {}
    for study, variant, builds in _series(history):
        before: Shares = {}
        kept = ""
        for build, run, created, commit in builds:
            if commit and commit == kept:
                continue  # the same tree
            now, kept = recorded_shares(history, build, "tree_bytes"), commit or ""
            for name in sorted({*before, *now}):
                if before.get(name) != now.get(name):
                    share = now.get(name)
                    versions, size = (share.versions, int(share.amount)) if share else ("", None)
                    found.setdefault(name, []).append(PackageLevel(study, variant, run, created, versions, size))
            before = now
    for levels in found.values():
        levels.sort(key=lambda level: (level.created, level.run, level.study, level.variant))
    return found


def current_levels(levels: list[PackageLevel]) -> list[PackageLevel]:
    """The level of each variant that has the package now."""
    newest = {(level.study, level.variant): level for level in levels}
    return [level for level in newest.values() if level.bytes is not None]


def _series(
    history: sqlite3.Connection,
) -> Iterator[tuple[str, str, list[tuple[int, str, str, str | None]]]]:
    """The builds of each variant of each study, oldest first: number, run, time, commit."""
    rows = history.execute(
        "SELECT study, variant, build, run, created, commit_checksum FROM builds JOIN runs USING (run)"
        " WHERE whole AND passed ORDER BY created, run"
    )
    series: dict[tuple[str, str], list[tuple[int, str, str, str | None]]] = {}
    for study, variant, *build in rows:
        series.setdefault((study, variant), []).append((build[0], build[1], build[2], build[3]))
    for (study, variant), builds in sorted(series.items()):
        yield study, variant, builds
