"""A static site of the history: a front page, a page for each run, variant and package, a feed, downloads.

It is made from the history and the directories of the runs. What was published stays, also when the directory of a run
is removed; the same history gives the same bytes.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store
from atomic_lib.report.site.atom_feed import write_feed
from atomic_lib.report.site.front_page import write_front_page
from atomic_lib.report.site.package_levels import package_levels
from atomic_lib.report.site.package_pages import installed_packages, write_package_pages
from atomic_lib.report.site.run_pages import add_image, add_run, write_downloads, write_runs_page
from atomic_lib.report.site.site_directory import NextSite, next_site
from atomic_lib.report.site.site_pages import SiteContent, run_page
from atomic_lib.report.site.site_runs import RecordedRun, latest_of, recorded_runs, standin_variants
from atomic_lib.report.site.variant_pages import write_variant_pages
from atomic_lib.results.history.figure_trends import Trend, read_trends
from atomic_lib.results.result_files import read_study_result
from atomic_lib.results.study_result import StudyResult

_TRENDS = ("image_compressed_bytes", "tree_bytes", "package_count", "counted_busy_seconds")


@dataclass(frozen=True)
class Published:
    """What was published: how many files are new or changed, and the runs that head the site."""

    written: int
    latest: tuple[RecordedRun, ...]


def publish_site(history: sqlite3.Connection, runs: Path, directory: Path, images: Store | None = None) -> Published:
    """Publish the site of a history as ``directory``, which changes at once or not at all.

    ``runs``: the directory of the runs. ``images``: the store that has their disk images, if those of the latest runs
    are to be published, too. Raises WorkbookError as ``next_site`` does.
    """
    recorded = recorded_runs(history)
    studies = tuple(dict.fromkeys(run.study for run in recorded))
    with next_site(directory) as site:
        trends: dict[str, tuple[Trend, ...]] = {study: read_trends(history, study, _TRENDS) for study in studies}
        content = SiteContent(history, site, recorded, trends, package_levels(history), standin_variants(history))
        for run in recorded:
            add_run(content, run, runs / run.run)
        heads = tuple(filter(None, (latest_of(recorded, study) for study in studies)))
        if images:
            for run in heads:
                _add_images(content, run, images)
        latest, previous = _results(site, heads), _previous_results(site, heads, recorded)
        write_front_page(content, latest, previous)
        write_runs_page(content)
        write_variant_pages(content, latest)
        write_package_pages(content, installed_packages(tuple(latest.values())))
        write_feed(content)
        return Published(len(site.written), heads)


def _add_images(content: SiteContent, run: RecordedRun, images: Store) -> None:
    before = len(content.site.written)
    for variant in run.variants:
        add_image(content, run, variant, images)
    if len(content.site.written) > before:
        write_downloads(content, run)


def _results(site: NextSite, runs: tuple[RecordedRun, ...]) -> Mapping[str, StudyResult]:
    """The published results of these runs, by study; without those that no longer can be read."""
    found = {}
    for run in runs:
        with suppress(WorkbookError):  # only the history has the run, or another version wrote its results
            found[run.study] = read_study_result((site.root / run_page(run.run)).parent)
    return found


def _previous_results(
    site: NextSite, heads: tuple[RecordedRun, ...], recorded: tuple[RecordedRun, ...]
) -> Mapping[str, StudyResult]:
    """The results of the run that was the latest one before."""
    before = (latest_of(recorded[recorded.index(head) + 1 :], head.study) for head in heads)
    return _results(site, tuple(filter(None, before)))
