"""A record of two builds: when it is about an image, and how it is shown."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.report.tables.build_contents.verified import verified_cell
from atomic_lib.results.verification import Verification, about_image, read_verification, write_verification
from tests.report.factory import variant_result

RAW, QCOW2, KEY = "a" * 64, "b" * 64, "key"


def record(raw: tuple[str, str] = (RAW, RAW), qcow2: tuple[str, str] = (QCOW2, QCOW2)) -> Verification:
    return Verification(
        variant="atomic-min",
        when="2026-11-23T01:02:03Z",
        same=raw[0] == raw[1] and qcow2[0] == qcow2[1],
        checksums={"disk.raw": raw, "disk.qcow2": qcow2},
        conditions={"umask": ("022", "077")},
        keys={"image": (KEY, KEY)},
        versions={"ostree": "2025.2"},
        provenance={"git_revision": None},
        seconds=(30.0, 60.0),
    )


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_verification(tmp_path / "verify/own.json", record())
    assert read_verification(tmp_path / "verify/own.json") == record()
    assert read_verification(tmp_path / "verify/other.json") is None


@pytest.mark.parametrize("content", [b'{"variant": "own"}', b"\xff\xfe\x00", b"[" * 100_000, b"9" * 5_000, b""])
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "own.json").write_bytes(content)
    with pytest.raises(WorkbookError, match=r"own\.json: ") as caught:
        read_verification(tmp_path / "own.json")
    assert caught.value.hint == "remove it, and verify again"


def test_an_image_of_the_same_bits_is_verified() -> None:
    assert about_image(record(), "another key", RAW, QCOW2) == record()


@pytest.mark.parametrize(("raw", "qcow2"), [("c" * 64, QCOW2), (RAW, "c" * 64)])
def test_an_image_of_other_bits_differs_though_all_that_went_in_is_the_same(raw: str, qcow2: str) -> None:
    found = about_image(record(), KEY, raw, qcow2)
    assert found is not None
    assert not found.same


def test_builds_that_differ_are_never_called_the_same() -> None:
    found = about_image(record(raw=(RAW, "c" * 64)), KEY, RAW, QCOW2)
    assert found is not None
    assert not found.same


def test_a_record_of_something_else_says_nothing_of_an_image() -> None:
    assert about_image(record(), "another key", "c" * 64, QCOW2) is None
    assert about_image(record(raw=(RAW, "c" * 64)), "another key", RAW, QCOW2) is None
    assert about_image(None, KEY, RAW, QCOW2) is None


def test_an_image_without_checksums_is_not_verified() -> None:
    assert about_image(record(), KEY, "", "") is None


@pytest.mark.parametrize(
    ("verified", "text", "kind"),
    [
        (record(), "✓ verified", "good"),
        (record(raw=(RAW, "c" * 64)), "✗ differs", "bad"),
        (None, "not verified", "missing"),
    ],
)
def test_how_it_is_shown(verified: Verification | None, text: str, kind: str) -> None:
    result = variant_result("atomic-min").model_copy(update={"image_sha256": RAW, "verified": verified})
    cell = verified_cell(result)
    assert (cell.text, cell.kind) == (text, kind)
    if verified:
        assert all(checksum in cell.more for pair in verified.checksums.values() for checksum in pair if checksum)
    else:
        assert cell.note == "./workbook verify atomic-min"


def test_a_variant_without_an_image_says_so() -> None:
    assert verified_cell(variant_result("atomic-min")).text == "—"


def test_a_result_does_not_name_the_machine() -> None:
    conditions = {"directory": ("/home/me/a", "/dev/shm/b"), "host name": ("mine", "mine"), "umask": ("022", "077")}
    found = about_image(record().model_copy(update={"conditions": conditions}), KEY, RAW, QCOW2)
    assert found is not None
    assert found.conditions == {
        "directory": ("one", "another"), "host name": ("the same", "the same"), "umask": ("022", "077"),
    }  # fmt: skip
