"""A run in some ten lines of Markdown that read as plain text too, for a mailing list."""

import re
from collections.abc import Sequence

from atomic_lib.report.elements.values import NBSP, percentage, quantity, signed
from atomic_lib.report.text import methods
from atomic_lib.report.text.boot_words import not_alone_notes
from atomic_lib.report.text.change_words import MOST_CAUSES, cause_words, since
from atomic_lib.report.text.content_words import content_and_date, day, standin_notice
from atomic_lib.results.analysis.boot_times import may_differ
from atomic_lib.results.analysis.decisions import last_step
from atomic_lib.results.analysis.metrics import Metric, overview_metrics
from atomic_lib.results.analysis.package_changes import causes
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

SUMMARY_FILE = "summary.md"


def summary(study: StudyResult, before: StudyResult | None, link: str, updates: str = "") -> str:
    """Content and date, the small table, the changes since the run ``before``, the largest causes, and the link.

    ``before``: the previous run of the study. ``link``: where the page is. ``updates``: what is said of updates.
    """
    parts = [
        f"# {markdown_text(study.title.rstrip('.'))}",
        markdown_text(" ".join(filter(None, [f"{content_and_date(study)}.", standin_notice(study)]))),
        _table(study),
        *_failures(study),
        _since(study, before),
        *_causes(study),
        markdown_text(updates),
        f"Page: {link}",
    ]
    return "\n\n".join(part for part in parts if part).replace(NBSP, " ") + "\n"


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is: names of entries come from foreign recipes."""
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", text)


def _table(study: StudyResult) -> str:
    """The figures that decide, in columns that are aligned in plain text."""
    figures = overview_metrics(study)
    rows = [["variant", *(figure.title for figure in figures)]]
    rows += [[result.variant, *(_figure(study, result, figure) for figure in figures)] for result in study.variants]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    rule = "|".join(f"{'-' * (width + 1)}{'-' if place == 0 else ':'}" for place, width in enumerate(widths))
    table = "\n".join([lines[0], f"|{rule}|", *lines[1:]])
    units = {figure.unit for figure in figures}
    notes = [methods.COUNTED_SECOND] if "counted" in units else []
    notes += not_alone_notes(study.variants) if "seconds" in units else ()
    return "\n\n".join([table, *notes])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [text.ljust(width) if place == 0 else text.rjust(width)
             for place, (text, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _figure(study: StudyResult, result: VariantResult, figure: Metric) -> str:
    value, base = figure.value(result), study.variant(study.baseline)
    if value is None:
        return figure.reason(result)
    compared = base and base is not result and may_differ(study, result, figure)
    before = figure.value(base) if base and compared else None
    percent = percentage(value, before) if before is not None else ""
    sign = "-" if before is not None and value < before else "+"
    return quantity(value, figure.unit) + (f" ({sign}{percent})" if percent else "")


def _failures(study: StudyResult) -> list[str]:
    return [f"{result.variant} failed at the stage {result.error.stage}." for result in study.variants if result.error]


def _since(study: StudyResult, before: StudyResult | None) -> str:
    if before is None:
        return "There is no earlier run to compare with."
    changes = since(study, before)
    if [text for _, text in changes] == ["nothing changed"]:
        return f"Nothing changed since the previous run, {day(before.created)}."
    lines = [f"- {variants}: {text}" for variants, text in changes]
    return "\n".join([f"Since the previous run, {day(before.created)}:", *lines])


def _causes(study: StudyResult) -> list[str]:
    """Where the largest difference comes from: that of the last step or, without steps, of the variant farthest off."""
    base = study.variant(study.baseline)
    result = _explained(study)
    found = causes(base, result) if base and result else ()
    if not (found and base and result):
        return []
    named = ", ".join(f"{cause_words(cause)} {signed(cause.bytes, 'bytes')}" for cause in found[:MOST_CAUSES])
    rest = sum(cause.bytes for cause in found[MOST_CAUSES:])
    more = f", all else {signed(rest, 'bytes')}" if rest else ""
    difference = sum(cause.bytes for cause in found)
    word = "smaller" if difference < 0 else "larger"
    size = quantity(abs(difference), "bytes")
    return [f"Why the tree of {result.variant} is {size} {word} than that of {study.baseline}: {named}{more}."]


def _explained(study: StudyResult) -> VariantResult | None:
    if study.steps:
        return study.variant(last_step(study))
    base = study.variant(study.baseline)
    others = [r for r in study.others() if r.tree_bytes is not None]
    return max(others, key=lambda r: abs((r.tree_bytes or 0) - ((base and base.tree_bytes) or 0)), default=None)
