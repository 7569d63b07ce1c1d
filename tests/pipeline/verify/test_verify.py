"""What ``./workbook verify`` makes of two builds that are not the same, or tried less than was asked for."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store, file_sha256
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.pipeline.verify import verify
from atomic_lib.pipeline.verify.conditions import Conditions
from atomic_lib.pipeline.verify.rebuild import Built, stored_in
from atomic_lib.results.verification import QCOW2, RAW, Verification, read_verification
from atomic_lib.tools import user_namespace
from atomic_lib.tools.sandbox import Tools
from tests.formats.disk.disk_image import make_raw

NAME = "atomic-min"
SEEN = {
    "umask": "022", "time zone": "UTC +0000", "language": "C.UTF-8", "host name": "here",
    "clock": "2026-11-23 01:00 UTC", "processors": "2", "repositories": "one", "RPM files": "one first, two last",
    "root is user": "1000",
}  # fmt: skip
SEEN_BY_B = {
    **SEEN, "umask": "077", "time zone": "LINT +1400", "host name": "elsewhere.example", "processors": "1",
    "clock": "2030-03-02 01:00 UTC", "RPM files": "two first, one last", "root is user": "32768",
}  # fmt: skip


class Builds:
    """In place of real builds: an image with one file, whose text is by build."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts

    def __call__(self, _: Variant, wanted: Conditions, own: Path, lock: str = "") -> Built:
        store, seen = Path(wanted.store), {**(SEEN if wanted.name == "A" else SEEN_BY_B), "directory": wanted.store}
        if "LC_ALL" not in wanted.environment:
            del seen["language"]
        (store / "tree/usr").mkdir(parents=True)
        (store / "tree/usr/file").write_text(self.texts[wanted.name])
        raw, qcow2 = store / RAW, store / QCOW2
        make_raw(raw, store / "tree")
        qcow2.write_text(f"compressed {self.texts[wanted.name]}")
        checksums = {RAW: file_sha256(raw), QCOW2: file_sha256(qcow2)}
        paths = {"raw": str(raw), "qcow2": str(qcow2), "lock": str(store / "lock.json")}
        return Built(checksums, seen, {"image": "key"}, {}, paths, 1.0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that verification writes to, with a host that has no language but C's."""
    monkeypatch.setattr(verify, "BUILD", tmp_path / "build")
    monkeypatch.setattr(verify, "cache_directory", lambda: tmp_path / "cache")
    monkeypatch.setattr(verify, "open_tools", lambda _: Tools(Path("/nonexistent"), "none"))
    monkeypatch.setattr(verify, "other_language", lambda: "")
    monkeypatch.setattr(user_namespace, "is_inside", lambda: True)
    return tmp_path / "build/verify"


def recorded(place: Path) -> Verification:
    found = read_verification(place / f"{NAME}.json")
    assert found is not None
    return found


def test_builds_that_differ_are_recorded_explained_and_kept(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "_build", Builds(A="one", B="another"))
    assert verify.verify([NAME]) == 1
    found = recorded(place)
    assert not found.same
    assert found.differing == [RAW, QCOW2]
    for number, build in enumerate("AB"):
        assert file_sha256(place / NAME / f"{build}.raw") == found.checksums[RAW][number]
        assert file_sha256(place / NAME / f"{build}.qcow2") == found.checksums[QCOW2][number]
    assert not (place / NAME / "store").exists()
    assert "/usr/file" in (place / NAME / verify.DIFFERENCES_FILE).read_text()
    shown = capsys.readouterr().out
    assert f"NOT the same: {RAW}, {QCOW2}" in shown
    assert str(place / NAME / verify.DIFFERENCES_FILE) in shown


def test_what_is_not_tried_is_not_told_and_what_reaches_no_command_is_said(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "_build", Builds(A="one", B="another"))
    verify.verify([NAME])
    assert "language" not in recorded(place).conditions
    assert recorded(place).conditions["umask"] == ("022", "077")
    assert "commands are shielded from them" in capsys.readouterr().out


def test_a_result_made_since_is_not_among_those_that_a_cache_had(tmp_path: Path) -> None:
    cache = Store(tmp_path)
    had = stored_in(tmp_path)
    made = cache.get_or_make("content", {"a": 1}, lambda directory: None, what="content").path
    assert had.isdisjoint([made])
    assert made in stored_in(tmp_path)


def test_a_build_that_did_not_have_its_conditions_is_no_verification(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "_build", Builds(A="one", B="one"))
    monkeypatch.setitem(SEEN_BY_B, "host name", "here")
    with pytest.raises(WorkbookError, match="did not have the host name"):
        verify.verify([NAME])
    assert not (place / f"{NAME}.json").exists()


CHECKSUMS = {"commit": "aa", RAW: "bb", QCOW2: "cc"}


def compared(other: dict[str, str]) -> Verification:
    """The verdict on a build with ``CHECKSUMS`` and one with others."""
    one = Built(CHECKSUMS, SEEN, {}, {}, {}, 1.0)
    return verify._compared(load_variant(NAME), one, replace(one, checksums=other), datetime.now(UTC))


def test_builds_are_the_same_only_if_every_checksum_is() -> None:
    assert compared(dict(CHECKSUMS)).same
    for name in CHECKSUMS:
        changed = compared({**CHECKSUMS, name: "another"})
        assert (changed.same, changed.differing) == (False, [name])
        missing = compared({key: value for key, value in CHECKSUMS.items() if key != name})
        assert (missing.same, missing.differing) == (False, [name])


@pytest.mark.parametrize(
    ("differing", "status"),
    [((), 0), (("atomic-min",), 1), (("cloud-docker",), 1), (("atomic-min", "cloud-docker"), 1)],
)
def test_the_exit_status_says_whether_any_variant_differs(
    place: Path, monkeypatch: pytest.MonkeyPatch, differing: tuple[str, ...], status: int
) -> None:
    def build_twice(variant: Variant, **_: object) -> tuple[Verification, str]:
        checksum = "another" if variant.variant in differing else "aa"
        return compared({**CHECKSUMS, "commit": checksum}), ""

    monkeypatch.setattr(verify, "verify_variant", build_twice)
    assert verify.verify(["atomic-min", "cloud-docker"], cold_cache=False) == status
