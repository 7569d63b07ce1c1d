"""The record of ``./workbook equality``, and whether it is about the image of a result."""

from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Count, Model, read_model
from atomic_lib.results.variant_result import VariantResult


class EqualityRecord(Model):
    """The file systems of a traditional and an ostree image of the same packages, compared path by path.

    ``images``: the sha256 of the raw disks, the traditional one's first. ``paths``: those of both sides.
    ``unexplained``: the differences that no rule expects. ``booted``: whether they were compared after a boot, too.
    """

    traditional: str
    ostree: str
    images: tuple[str, str]
    paths: Count
    differences: Count
    unexplained: Count
    booted: bool


def equality_file(build: Path, variant: str) -> Path:
    """Where the record of an ostree variant is kept."""
    return build / "equality" / f"{variant}.json"


def write_equality(build: Path, record: EqualityRecord) -> None:
    """Keep the record; it replaces an earlier one."""
    path = equality_file(build, record.ostree)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, record.model_dump_json(indent=1) + "\n")


def equality_of(build: Path, result: VariantResult) -> EqualityRecord | None:
    """The record that is about this very image; None if there is none. Raises WorkbookError for a damaged record."""
    path = equality_file(build, result.variant)
    if not (result.image_sha256 and path.is_file()):
        return None
    record = read_model(EqualityRecord, path, hint="remove it, and run ./workbook equality again")
    return record if record.images[1] == result.image_sha256 else None
