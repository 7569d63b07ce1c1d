"""What the packages of a study are, and when it was made: the first line of each page and of the summary."""

from collections.abc import Iterator
from datetime import datetime

from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import ContentSummary, VariantResult

STANDIN_NOTICE = (
    "These are Debian packages, not Fedora's: the figures compare the variants; they are not Fedora's sizes or boot "
    "times."
)


def content_and_date(study: StudyResult) -> str:
    """ "Fedora 43, 28 November 2026": content, release, and the day (UTC) on which the study was finished."""
    contents = " and ".join(dict.fromkeys(map(content_words, study.variants))) or "No content"
    return f"{contents[:1].upper()}{contents[1:]}, {day(study.created)}"


def content_words(result: VariantResult) -> str:
    """The content of a variant with its release."""
    return summary_words(result.content_summary) if result.content_summary else f"content {result.content!r}"


def summary_words(content: ContentSummary) -> str:
    """A content with its release."""
    named = content.standin or content.releasever in content.title.split()
    return content.title if named else f"{content.title} {content.releasever}"


def standin_notice(study: StudyResult) -> str:
    """That the figures are not Fedora's, and what is left out; empty for a study without stand-in content."""
    standin = any(result.content_summary and result.content_summary.standin for result in study.variants)
    return " ".join([STANDIN_NOTICE, *_left_out(study)]) if standin else ""


def _left_out(study: StudyResult) -> Iterator[str]:
    """A sentence for each set of entries that variants do without."""
    by_entries: dict[tuple[str, ...], list[VariantResult]] = {}
    for result in study.variants:
        if result.left_out:
            by_entries.setdefault(result.left_out, []).append(result)
    for entries, results in by_entries.items():
        names = ", ".join(result.variant for result in results)
        counts = list(dict.fromkeys(str(result.entry_count) for result in results))
        missing, verb = len(entries), "have" if len(entries) > 1 else "has"
        of = f"{missing} of {counts[0]} entries"
        if len(counts) > 1:
            of = f"{missing} {'entries' if missing > 1 else 'entry'} (of {' and '.join(counts)})"
        yield f"{names}: {of} {verb} no stand-in: {', '.join(entries)}."


def moment(created: str) -> str:
    """A time (UTC, ISO 8601) to the minute: ``2026-11-28 20:47``."""
    return created[:16].replace("T", " ")


def day(moment: str) -> str:
    """ "28 November 2026", of a moment in ISO 8601."""
    found = datetime.fromisoformat(moment)
    return f"{found.day} {found:%B %Y}"
