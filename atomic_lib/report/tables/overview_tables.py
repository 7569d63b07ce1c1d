"""What the front page says first: what was measured and when, and the figures that decide, side by side."""

from dataclasses import replace

from atomic_lib.measure.rank_statistics import NO_DIFFERENCE
from atomic_lib.report.elements.blocks import Opening
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import NBSP, delta
from atomic_lib.report.text import methods
from atomic_lib.report.text.boot_words import not_alone_notes
from atomic_lib.report.text.content_words import content_and_date, standin_notice
from atomic_lib.results.analysis import fallbacks
from atomic_lib.results.analysis.boot_times import may_differ
from atomic_lib.results.analysis.metrics import Metric, overview_metrics
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_HOW = {"bytes": f"{methods.TREE} {methods.COMPRESSED_IMAGE}", "counted": methods.COUNTED, "seconds": methods.WALL}


def heading(study: StudyResult) -> Opening:
    """Content, release and date, then the title of the study; with stand-in content, a notice."""
    return Opening(content_and_date(study), study.title.rstrip("."), standin_notice(study))


def overview(study: StudyResult) -> Table:
    """One row for each variant: its image, tree, packages and boot, with the differences from the baseline."""
    figures = overview_metrics(study)
    rows = [(_name(study, result), *_cells(study, result, figures)) for result in study.variants]
    records = tuple(
        {"variant": result.variant, **{figure.name: figure.value(result) for figure in figures}}
        for result in study.variants
    )
    how = " ".join(method for unit, method in _HOW.items() if any(figure.unit == unit for figure in figures))
    note = f"Below each figure: the difference from {study.baseline}, the baseline. 1 MB is 1,000,000 bytes."
    if any(figure.unit == "counted" for figure in figures):
        note += f" {methods.COUNTED_SECOND}"
    timed = not_alone_notes(study.variants) if any(figure.unit == "seconds" for figure in figures) else ()
    return Table(
        "What each variant costs", ("variant", *(figure.title for figure in figures)), tuple(rows), records,
        (note, *timed),
        how, "figures.csv", anchor="overview", fixed=True,
    )  # fmt: skip


def _name(study: StudyResult, result: VariantResult) -> Cell:
    marked = fallbacks.in_place(result.variant, *fallbacks.stands_in_for(study, result))
    note = result.description
    if result.error:
        note = f"✗ failed at the stage {result.error.stage}"
    elif result.status == "incomplete":
        note = f"incomplete: not all boots have been made. {note}"
    return Cell(marked, note)


def _short(text: str) -> str:
    """A figure without a word that the heading of its column has."""
    return text.replace(f"counted{NBSP}", "")


def _cells(study: StudyResult, result: VariantResult, figures: tuple[Metric, ...]) -> list[Cell]:
    base = study.variant(study.baseline)
    cells = []
    for figure in figures:
        value, base_value = figure.value(result), figure.value(base) if base else None
        if value is None:
            cells.append(missing(figure.reason(result)))
            continue
        note = ""
        if base_value is not None and result is not base:
            shown = may_differ(study, result, figure)
            note = delta(value, base_value, figure.unit) if shown else NO_DIFFERENCE
        cell = number(value, figure.unit, note=note)
        cells.append(replace(cell, text=_short(cell.text), note=_short(cell.note)))
    return cells
