"""Tables of the SELinux labels of finished images, compared with each image's own policy."""

from atomic_lib.measure.labels import Labels
from atomic_lib.report.elements.cells import Cell, missing, number, verdict
from atomic_lib.report.elements.table import Table, not_measured
from atomic_lib.report.elements.values import plural, quantity
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.metrics import missing_reason
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.tables.csv_tables import LABEL_FIELDS, label_rows
from atomic_lib.results.variant_result import VariantResult

_COUNTS = (("paths checked", "checked"), ("right", "right"), ("explained", "explained_paths"),
           ("without a label", "unlabelled"),
           ("of type default_t", "unknown"))  # fmt: skip


def labels_table(result: VariantResult) -> Table:
    """One variant: how many labels are right, what each exception explains and why, and each wrong one by name."""
    labels = result.labels
    if labels is None:
        return not_measured("Labels", _missing(result))
    explained = [
        (Cell(one.exception), number(one.paths, "count"), Cell(one.reason, f"for example {one.example}"))
        for one in labels.explained
    ]
    wrong = [
        (Cell(one.path), verdict(False, "wrong"), Cell(f"{one.label or 'no label'}, wanted {one.wanted}"))
        for one in labels.wrong
    ]
    right = (Cell("right"), number(labels.right, "count"), Cell(f"as in the image's policy, {labels.policy}"))
    sum_row = (
        Cell("wrong"),
        _wrong(labels),
        Cell("" if labels.wrong_paths else "an exception explains every other label"),
    )
    more = labels.wrong_paths - len(labels.wrong)
    notes = (f"{plural(more, 'more wrong path')} not named here.",) if more else ()
    return Table(
        f"Labels: {_sentence(labels)}",
        ("", "paths", "reason"),
        (right, *explained, *wrong, sum_row),
        _records(result),
        notes,
        methods.LABELS,
        "../labels.csv",
        fixed=True,
    )


def labels(study: StudyResult) -> Table:
    """Every variant's labels: checked, right, explained by each exception, wrong, and the wrong ones by name."""
    results = study.variants
    rows = [(Cell(title), *(_count(result, name) for result in results)) for title, name in _COUNTS]
    checked = [result.labels for result in results if result.labels]
    reasons = {one.exception: one.reason for of in checked for one in of.explained}
    rows += [
        (Cell(f"explained: {name}", reason), *(_explained(result, name) for result in results))
        for name, reason in reasons.items()
    ]
    rows.append((Cell("wrong"), *(_wrong(r.labels) if r.labels else missing(_missing(r)) for r in results)))
    records = tuple(record for result in results for record in _records(result))
    header = ("", *(result.variant for result in results))
    table_rows = tuple(rows) if checked else ()
    return Table("Labels of the images", header, table_rows, records, (), methods.LABELS, "labels.csv", fixed=True)


def _sentence(labels: Labels) -> str:
    checked, right = quantity(labels.checked, "count"), quantity(labels.right, "count")
    return (
        f"{checked} paths checked against the image's own policy, {right} right, {labels.wrong_paths:,} wrong, "
        f"{labels.explained_paths:,} explained"
    )


def _wrong(labels: Labels) -> Cell:
    count = labels.wrong_paths
    if not count:
        return verdict(True, "0")
    return Cell(f"✗ {count:,}", kind="bad", more=", ".join(one.path for one in labels.wrong))


def _count(result: VariantResult, name: str) -> Cell:
    return number(getattr(result.labels, name), "count") if result.labels else missing(_missing(result))


def _explained(result: VariantResult, name: str) -> Cell:
    if result.labels is None:
        return missing(_missing(result))
    return number(next((one.paths for one in result.labels.explained if one.exception == name), 0), "count")


def _missing(result: VariantResult) -> str:
    return missing_reason(result, "SELinux is disabled, or the result is older than this check")


def _records(result: VariantResult) -> tuple[dict[str, object], ...]:
    """The rows of labels.csv of the variant: counts, and the wrong paths by name."""
    return tuple(dict(zip(LABEL_FIELDS, (result.variant, *row), strict=True)) for row in label_rows(result))
