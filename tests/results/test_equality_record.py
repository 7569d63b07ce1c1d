"""The record of an equality: kept, and believed only of the very image."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.equality_record import EqualityRecord, equality_file, equality_of, write_equality
from tests.report.factory import variant_result

RECORD = EqualityRecord(
    traditional="traditional-min", ostree="atomic-min", images=("a" * 64, "b" * 64), paths=12_000, differences=31,
    unexplained=0, booted=True,
)  # fmt: skip


def test_a_record_is_that_of_the_image_with_this_checksum_only(tmp_path: Path) -> None:
    result = variant_result("atomic-min").model_copy(update={"image_sha256": "b" * 64})
    assert equality_of(tmp_path, result) is None
    write_equality(tmp_path, RECORD)
    assert equality_of(tmp_path, result) == RECORD
    for other in ("c" * 64, "a" * 64, None):
        assert equality_of(tmp_path, result.model_copy(update={"image_sha256": other})) is None


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    write_equality(tmp_path, RECORD)
    equality_file(tmp_path, "atomic-min").write_text("{")
    result = variant_result("atomic-min").model_copy(update={"image_sha256": "b" * 64})
    with pytest.raises(WorkbookError, match=r"equality/atomic-min\.json: the whole: "):
        equality_of(tmp_path, result)
