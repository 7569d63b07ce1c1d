"""Table of what variants have in common, in packages and bytes."""

from collections.abc import Mapping

from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.metrics import missing_reason
from atomic_lib.results.analysis.sharing import SharedPart, Sharing, measured_trees, shared_parts
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

SHARING_TITLES: Mapping[Sharing, str] = {
    "all": "packages that all variants have",
    "some": "packages that some variants have",
    "own": "packages that only this variant has",
    "unowned": "files that no package owns",
}


def sharing(study: StudyResult) -> Table:
    """The tree of every variant: what all have, what some have, what only this one has."""
    measured = measured_trees(study)
    parts = {result.variant: shared_parts(result, measured) for result in measured}
    rows = [
        (Cell(title), *(_cell(parts.get(result.variant), name, result) for result in study.variants))
        for name, title in SHARING_TITLES.items()
    ]
    rows.append((Cell("whole tree"), *(_whole(result) for result in study.variants)))
    records = tuple(
        {"variant": variant, "part": name, **vars(part)} for variant, of in parts.items() for name, part in of.items()
    )
    header = ("", *(result.variant for result in study.variants))
    note = f"Compared: {plural(len(measured), 'variant')} with a measured tree. Another version is another package."
    return Table(
        "Packages in common", header, tuple(rows) if measured else (), records, (note,), methods.TREE, "packages.csv",
        feet=1, fixed=True,
    )  # fmt: skip


def _cell(parts: Mapping[Sharing, SharedPart] | None, name: Sharing, result: VariantResult) -> Cell:
    if parts is None:
        return missing(missing_reason(result))
    part = parts[name]
    return number(part.bytes, "bytes", note="" if part.packages is None else plural(part.packages, "package"))


def _whole(result: VariantResult) -> Cell:
    return number(result.tree_bytes, "bytes", reason=missing_reason(result))
