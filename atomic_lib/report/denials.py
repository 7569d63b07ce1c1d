"""What SELinux denied at boot, and why it may: the reasons are data (``params/denials.yaml``)."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field

from atomic_lib.params import PARAMS_DIRECTORY, ParamsModel, read_yaml_mapping, validated
from atomic_lib.report import methods
from atomic_lib.report.metrics import counted_in
from atomic_lib.report.model import Denial, StudyResult, VariantResult
from atomic_lib.report.show import Cell, Table, number

REASONS_FILE = PARAMS_DIRECTORY / "denials.yaml"
UNEXPLAINED = "unexplained"
_Pattern = Annotated[str, Field(min_length=1)]


class Reason(ParamsModel):
    """Why a denial may be; all but ``reason`` are shell patterns."""

    source: _Pattern
    target: _Pattern
    target_class: _Pattern
    permission: _Pattern
    name: _Pattern = "*"
    reason: _Pattern

    def fits(self, denial: Denial) -> bool:
        """Whether all that was denied is meant."""
        return (
            fnmatchcase(denial.source, self.source)
            and fnmatchcase(denial.target, self.target)
            and fnmatchcase(denial.target_class, self.target_class)
            and fnmatchcase(denial.name, self.name)
            and all(fnmatchcase(permission, self.permission) for permission in denial.permissions)
        )


class Reasons(ParamsModel):
    """All reasons in the order of their file; the first that fits holds."""

    denials: Annotated[tuple[Reason, ...], Field(strict=False)]

    def reason_of(self, denial: Denial) -> str:
        """Why it may be denied; empty where nobody knows."""
        return next((rule.reason for rule in self.denials if rule.fits(denial)), "")


@dataclass(frozen=True)
class _Row:
    """What is one row of the table: a denial whatever path it met."""

    source: str
    target: str
    target_class: str
    permissions: tuple[str, ...]
    comm: str


def load_reasons(path: Path = REASONS_FILE) -> Reasons:
    """The reasons in ``path``; raises WorkbookError naming the file and what is wrong in it."""
    return validated(Reasons, read_yaml_mapping(path), str(path), {})


@functools.cache
def default_reasons() -> Reasons:
    """The reasons of ``params/denials.yaml``, read once."""
    return load_reasons()


def unexplained(denials: Iterable[Denial]) -> tuple[Denial, ...]:
    """The denials that no reason fits."""
    return tuple(denial for denial in denials if not default_reasons().reason_of(denial))


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
