"""SELinux denials at boot, each with its reason."""

from dataclasses import dataclass

from atomic_lib.guest.evidence.denials import Denial
from atomic_lib.report.elements.cells import Cell, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.boot_groups import measured_boots
from atomic_lib.results.analysis.denial_reasons import UNEXPLAINED, default_reasons
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult


@dataclass(frozen=True)
class _Row:
    """One row of the table: a denial, whatever the path."""

    source: str
    target: str
    target_class: str
    permissions: tuple[str, ...]
    comm: str


def denials_table(study: StudyResult) -> Table:
    """Every distinct denial of the measured boots, how often each variant had it in a boot, and its reason."""
    found = {_row(one): one for r in study.variants for boot in measured_boots(r.boots) for one in boot.denials or ()}
    rows = tuple(
        (
            Cell(f"{row.source}: {' '.join(row.permissions)}", f"{row.comm}: {row.target} {row.target_class}"),
            *(number(_most(result, row), "count", reason="not measured") for result in study.variants),
            Cell(default_reasons().reason_of(one) or UNEXPLAINED, one.name),
        )
        for row, one in sorted(found.items(), key=lambda item: (item[0].source, item[0].target, item[0].permissions))
    )
    records = tuple(
        {"variant": result.variant, "source": row.source, "permissions": " ".join(row.permissions),
         "target": row.target, "target_class": row.target_class, "count": _most(result, row)}
        for row in found
        for result in study.variants
    )  # fmt: skip
    header = ("denied", *(result.variant for result in study.variants), "reason")
    return Table("SELinux denials", header, rows, records, _notes(study), methods.DENIALS, "denials.csv")


def _notes(study: StudyResult) -> tuple[str, ...]:
    modes = {r.variant: boot.selinux_mode for r in study.variants for boot in measured_boots(r.boots)}
    lost = {
        r.variant: max((boot.denials_lost or 0 for boot in measured_boots(r.boots)), default=0) for r in study.variants
    }
    notes = [f"{name}: SELinux is {mode}." for name, mode in modes.items() if mode]
    return (*notes, *(f"{name}: {count} messages lost." for name, count in lost.items() if count))


def _row(denial: Denial) -> _Row:
    return _Row(denial.source, denial.target, denial.target_class, denial.permissions, denial.comm)


def _most(result: VariantResult, row: _Row) -> int | None:
    """The most often that a boot of the variant had it; None if no boot recorded denials."""
    recorded = [boot.denials for boot in measured_boots(result.boots) if boot.denials is not None]
    return max((sum(one.count for one in denials if _row(one) == row) for denials in recorded), default=None)
