"""What SELinux denied at boot, and why it may: the reasons are data (``params/rules/denials.yaml``)."""

from dataclasses import dataclass

from atomic_lib.report.page.elements import Cell, Table, number
from atomic_lib.report.text import methods
from atomic_lib.results.denial_reasons import UNEXPLAINED, default_reasons
from atomic_lib.results.metrics import counted_in
from atomic_lib.results.variant_result import Denial, StudyResult, VariantResult


@dataclass(frozen=True)
class _Row:
    """What is one row of the table: a denial whatever path it met."""

    source: str
    target: str
    target_class: str
    permissions: tuple[str, ...]
    comm: str


def denials_table(study: StudyResult) -> Table:
    """Every distinct denial of the boots that count, how often each variant had it in a boot, and why it may be."""
    found = {_row(one): one for r in study.variants for boot in counted_in(r.boots) for one in boot.denials or ()}
    rows = tuple(
        (
            Cell(f"{row.source}: {' '.join(row.permissions)}", f"{row.comm}: {row.target} {row.target_class}"),
            *(number(_most(result, row), "count", reason="not asked") for result in study.variants),
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
    header = ("denied", *(result.variant for result in study.variants), "why it may be")
    return Table("What SELinux denied", header, rows, records, _notes(study), methods.DENIALS, "denials.csv")


def _notes(study: StudyResult) -> tuple[str, ...]:
    modes = {r.variant: boot.selinux_mode for r in study.variants for boot in counted_in(r.boots)}
    lost = {r.variant: max((boot.denials_lost or 0 for boot in counted_in(r.boots)), default=0) for r in study.variants}
    told = [f"{name}: SELinux is {mode}." for name, mode in modes.items() if mode]
    return (*told, *(f"{name}: {count} messages were lost." for name, count in lost.items() if count))


def _row(denial: Denial) -> _Row:
    return _Row(denial.source, denial.target, denial.target_class, denial.permissions, denial.comm)


def _most(result: VariantResult, row: _Row) -> int | None:
    """The most often that a boot of the variant had it; None where no boot was asked."""
    asked = [boot.denials for boot in counted_in(result.boots) if boot.denials is not None]
    return max((sum(one.count for one in denials if _row(one) == row) for denials in asked), default=None)
