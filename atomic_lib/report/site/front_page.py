"""The front page of a site: of each study the latest comparison, what changed, and the figures over time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from atomic_lib.report.elements.blocks import Alert, Opening, Paragraph, Section, Shown, Stack
from atomic_lib.report.elements.values import slug
from atomic_lib.report.figures import waterfall
from atomic_lib.report.figures.trend_lines import picture_of
from atomic_lib.report.page.export import PageLink
from atomic_lib.report.site.change_list import change_list
from atomic_lib.report.site.run_pages import DOWNLOADS, LinkLine, runs_table
from atomic_lib.report.site.site_pages import (
    FEED,
    FRONT,
    RUNS,
    SiteContent,
    link,
    run_page,
    variant_page,
    write_page,
)
from atomic_lib.report.tables.overview_tables import overview
from atomic_lib.report.text.change_words import since_previous_run
from atomic_lib.report.text.content_words import content_and_date, day, moment, standin_notice
from atomic_lib.results.history.figure_trends import Trend
from atomic_lib.results.study_result import StudyResult

_CHANGES, _RUNS = 5, 10
"""So many of the newest changes and runs are on the front page."""


def write_front_page(
    content: SiteContent, latest: Mapping[str, StudyResult], previous: Mapping[str, StudyResult]
) -> None:
    """Write the front page; ``latest``: the results of the latest run by study, ``previous``: those before them."""
    alone = len(content.studies) == 1
    parts: list[Shown] = [] if alone else [Opening("", "Studies", content.notice(content.variants))]
    for study in content.studies:
        found = latest.get(study)
        parts.append(_heading(content, study, found, alone=alone))
        parts += _study(content, study, found, previous.get(study), alone=alone)
    newest = runs_table(content, FRONT, content.runs[:_RUNS], "The newest runs")
    more = LinkLine((PageLink(f"All {len(content.runs):,} runs", RUNS), PageLink("Atom feed", FEED)))
    parts.append(Section("Runs", "", (newest, more)))
    if not content.runs:
        parts = [Opening("", "No runs yet"), Paragraph("The history has no run: ./workbook run makes one.")]
    title = next((found.title.rstrip(".") for found in latest.values()), "Runs") if alone else "Studies"
    write_page(content.site, FRONT, title, parts, alert=_alert(content))


def _heading(content: SiteContent, study: str, found: StudyResult | None, *, alone: bool) -> Shown:
    title = next(run.title for run in content.runs if run.study == study).rstrip(".")
    if alone:
        notice = standin_notice(found) if found else content.notice(content.variants)
        return Opening(content_and_date(found) if found else "", title, notice)
    return Section(title, content_and_date(found) if found else "", (Stack(()),))


def _alert(content: SiteContent) -> Alert | None:
    """That the newest whole run of a study cannot be its latest: what failed, or which budgets it broke."""
    told = []
    for study in content.studies:
        newest = next((run for run in content.runs if run.study == study and run.whole), None)
        if newest and not newest.can_be_latest:
            told.append(newest)
    if not told:
        return None
    return Alert(
        "The newest run is not the latest one shown here" if len(told) == 1 else "Newest runs that are not shown here",
        "\n".join(f"{run.study}, {day(run.created)}: {run.verdict}" for run in told),
        links=tuple((f"the run of {moment(run.created)}", run_page(run.run)) for run in told),
    )


def _study(
    content: SiteContent, study: str, found: StudyResult | None, before: StudyResult | None, *, alone: bool
) -> Iterator[Shown]:
    name = "" if alone else f"-{slug(study)}"
    if found is None:
        yield Paragraph("There is no complete and successful run of this study yet.")
    else:
        top = run_page(found.run).rpartition("/")[0]
        yield replace(overview(found), anchor=f"overview{name}", csv=f"{top}/figures.csv")
        variants = (PageLink(result.variant, link(FRONT, variant_page(result.variant))) for result in found.variants)
        yield LinkLine((PageLink("This run in full", f"{top}/index.html"),
                        PageLink("Downloads", f"{top}/{DOWNLOADS}"), *variants))  # fmt: skip
        if alone and found.steps and found.variant(found.baseline):
            picture = waterfall.figure(found)
            yield replace(picture, csv=f"{top}/{picture.csv}" if picture.csv else "")
        if before:
            yield Section(f"Since the previous run{_of(study, alone=alone)}", "", (since_previous_run(found, before),))
    trends = content.trends.get(study, ())
    if trends:
        yield Section(f"Over time{_of(study, alone=alone)}", "", tuple(_over_time(trends, study, alone=alone)))


def _of(study: str, *, alone: bool) -> str:
    return "" if alone else f": {study}"


def _over_time(trends: Sequence[Trend], study: str, *, alone: bool) -> Iterator[Shown]:
    """The newest changes, and a picture of the first figure that every run has."""
    yield change_list(trends, FRONT, _CHANGES)
    longest = max(trends, key=lambda trend: len(trend.points)).figure
    picture = picture_of([trend for trend in trends if trend.figure == longest])
    yield picture if alone else replace(picture, caption=f"{study}, {picture.caption}")
