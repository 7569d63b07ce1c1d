"""A page for each variant: its figures now and over time, what changed them, its packages and its runs."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.elements.blocks import Alert, Opening, Section, Shown
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural, version_of
from atomic_lib.report.figures.trend_lines import picture_of
from atomic_lib.report.page.export import PageLink
from atomic_lib.report.site.change_list import change_list
from atomic_lib.report.site.run_pages import DOWNLOADS, LinkLine
from atomic_lib.report.site.site_pages import (
    VARIANTS,
    SiteContent,
    link,
    package_page,
    run_page,
    variant_page,
    write_page,
)
from atomic_lib.report.site.site_runs import RecordedRun
from atomic_lib.report.tables.build_contents.package_tables import why_cell
from atomic_lib.report.text import methods
from atomic_lib.report.text.content_words import content_words, day, moment
from atomic_lib.results.analysis.metrics import Unit
from atomic_lib.results.history.figure_trends import Trend
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_FIGURES = {"image_compressed_bytes": "compressed image", "tree_bytes": "tree", "package_count": "packages"}
"""The figures of the list of a variant's runs."""
_CHANGES = 12
"""So many of the newest changes are shown; the others are folded away."""
Figures = Mapping[tuple[str, str], tuple[float, Unit]]
"""Values and units of one variant, by run and figure."""


def write_variant_pages(content: SiteContent, latest: Mapping[str, StudyResult]) -> None:
    """Write the page of each variant, and the list of them; ``latest``: the newest results by study."""
    for variant in content.variants:
        _write_page(content, variant, [study for study in latest.values() if study.variant(variant)])
    _write_list(content, latest)


def _write_page(content: SiteContent, variant: str, studies: Sequence[StudyResult]) -> None:
    path = variant_page(variant)
    newest = next((study.variant(variant) for study in studies), None)
    line = f"{content_words(newest)}, {newest.method}" if newest else "variant"
    parts: list[Shown] = [Opening(line[:1].upper() + line[1:], variant, content.notice([variant]))]
    runs = [run for run in content.runs if variant in run.variants]
    if newest and studies:
        parts.append(_last_result(content, path, studies[0], newest))
    for study, trends in content.trends.items():
        own = [trend for trend in trends if trend.variant == variant]
        parts += _over_time(path, own, study if len(content.trends) > 1 else "")
    if newest and newest.packages:
        parts.append(Section("Packages", "", (_packages(path, newest),)))
    parts.append(Section("Runs", "", (_runs_table(content, path, variant, runs),)))
    write_page(content.site, path, f"{variant} · Variants", parts, alert=_alert(path, variant, runs))


def _alert(path: str, variant: str, runs: Sequence[RecordedRun]) -> Alert | None:
    """That the newest run of the variant failed; None if it did not."""
    newest = next((run for run in runs if run.whole), None)
    if newest is None or variant not in newest.failed:
        return None
    return Alert(
        f"{variant} failed in the newest run, {day(newest.created)}",
        "The figures on this page are those of earlier runs.",
        links=(("the page of that run", link(path, run_page(newest.run))),),
    )


def _last_result(content: SiteContent, path: str, study: StudyResult, result: VariantResult) -> Shown:
    """Links to what the latest run has of the variant."""
    top = run_page(study.run).rpartition("/")[0]
    pages = {
        f"The run of {day(study.created)}": f"{top}/index.html",
        "This variant in that run, in full": f"{top}/{result.variant}/index.html",
        "Downloads": f"{top}/{DOWNLOADS}",
    }
    found = {text: target for text, target in pages.items() if content.site.has(target)}
    return LinkLine(tuple(PageLink(text, link(path, target)) for text, target in found.items()))


def _over_time(path: str, trends: Sequence[Trend], study: str) -> Iterator[Shown]:
    """What changed, and the pictures of each figure."""
    if not trends:
        return
    pictures = tuple(picture_of([trend]) for trend in trends)
    changes = change_list(trends, path, _CHANGES)
    yield Section(f"Over time{study and ': '}{study}", "", (changes, *pictures))


def _packages(path: str, result: VariantResult) -> Table:
    rules = default_class_rules()
    ordered = sorted(result.packages, key=lambda package: (-package.bytes, package.name))
    rows = tuple(
        (Cell(package.name, link=link(path, package_page(package.name))), number(package.bytes, "bytes"),
         Cell(rules.title_of(package.class_)), why_cell(package.why), Cell(version_of(package)))
        for package in ordered
    )  # fmt: skip
    caption = f"Packages of {result.variant}: {plural(len(rows), 'package')}"
    return Table(caption, ("package", "in the tree", "class", "why it is here", "version"), rows, how=methods.TREE)


def _runs_table(content: SiteContent, path: str, variant: str, runs: Sequence[RecordedRun]) -> Table:
    figures = _figures(content.history, variant)
    shown = [name for name in _FIGURES if any(figure == name for _, figure in figures)]
    rows = tuple(
        (Cell(moment(run.created), link=link(path, run_page(run.run))), Cell(run.study),
         run.verdict_cell(), *(_figure(figures, run, name) for name in shown))
        for run in runs
    )  # fmt: skip
    header = ("run", "study", "result", *(_FIGURES[name] for name in shown))
    return Table(f"Runs of {variant}: {len(rows):,}, the newest first", header, rows, anchor="all-runs")


def _figure(figures: Figures, run: RecordedRun, name: str) -> Cell:
    found = figures.get((run.run, name))
    return number(*found) if found else missing("not measured")


def _figures(history: sqlite3.Connection, variant: str) -> Figures:
    rows = history.execute(
        "SELECT run, figure, value, unit FROM figures JOIN builds USING (build) WHERE variant = ?", (variant,)
    )
    return {(run, figure): (value, unit) for run, figure, value, unit in rows}


def _write_list(content: SiteContent, latest: Mapping[str, StudyResult]) -> None:
    found = {result.variant: result for study in reversed(list(latest.values())) for result in study.variants}
    rows = []
    for variant in content.variants:
        result = found.get(variant)
        values = [getattr(result, name) if result else None for name in _FIGURES]
        units: tuple[Unit, ...] = ("bytes", "bytes", "count")
        own = [run for run in content.runs if variant in run.variants]
        rows.append(
            (Cell(variant, result.description if result else "", link=link(VARIANTS, variant_page(variant))),
             *(number(value, unit) for value, unit in zip(values, units, strict=True)),
             number(len(own), "count"), own[0].verdict_cell())
        )  # fmt: skip
    header = ("variant", *_FIGURES.values(), "runs", "its newest run")
    note = "The figures are those of the latest complete run of the study that has the variant."
    parts = (Opening("", "Variants", content.notice(content.variants)),
             Table("All variants", header, tuple(rows), notes=(note,), how=methods.TREE))  # fmt: skip
    write_page(content.site, VARIANTS, "Variants", parts)
