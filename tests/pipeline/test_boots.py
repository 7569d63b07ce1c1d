"""The boots of a variant in its record: those that were made, those that are missing, and those that failed."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.boots import Boots
from atomic_lib.results.record import VariantRecord
from atomic_lib.results.result_files import read_variant_result
from atomic_lib.results.variant_result import VariantResult
from tests.contexts import own_context
from tests.guest.boots import Guests, install_guests, own_image, own_variant


@pytest.fixture
def guests(monkeypatch: pytest.MonkeyPatch) -> Guests:
    return install_guests(monkeypatch)


def boots_of(top: Path, **changed: object) -> Boots:
    """The boots of a variant, with their evidence in ``top/own``."""
    own = top / "own"
    own.mkdir(exist_ok=True)
    return Boots(own_variant(**changed), "enforcing", own_image(top), own_context(top), own)


def made(boots: Boots, new_boots: int = 10) -> VariantResult:
    """The result, as written, of one more run of the notebook."""
    record = VariantRecord(boots.variant, boots.directory, boots.directory)
    try:
        boots.make(record, new_boots)
    except WorkbookError as error:
        record.fail("boot", error)
    return read_variant_result(boots.directory / "result.json")


def names(result: VariantResult) -> list[tuple[str, int]]:
    return [(boot.firmware, boot.index) for boot in result.boots]


def test_no_more_boots_are_made_than_may_be_made_now(tmp_path: Path, guests: Guests) -> None:
    boots = boots_of(tmp_path, boots_bios=2, boots_uefi=1, counted_boots=1)
    seen = [made(boots, new_boots) for new_boots in (0, 1, 1, 5)]
    assert [result.status for result in seen] == ["incomplete", "incomplete", "incomplete", "ok"]
    assert [names(result) for result in seen] == [
        [], [("bios", 1)], [("bios", 1), ("bios", 2)], [("bios", 1), ("bios", 2), ("uefi", 1)],
    ]  # fmt: skip
    assert [len(result.counted_boots) for result in seen] == [0, 0, 0, 1]
    assert (len(guests.timed), len(guests.counted)) == (3, 1), "what is kept is not made again"
    assert seen[-1].boots[0].console_log == "own/console-bios-1.log"
    assert (tmp_path / "own/console-counted-1.log").is_file()


def test_the_warm_up_is_told_from_the_boots_that_count(tmp_path: Path, guests: Guests) -> None:
    result = made(boots_of(tmp_path, boots_bios=2, boots_uefi=1, warm_up=True))
    assert [(boot.firmware, boot.index) for boot in result.boots if boot.warm_up] == [("bios", 0), ("uefi", 0)]
    counted = [(boot.firmware, boot.index) for boot in result.boots if not boot.warm_up]
    assert counted == [("bios", 1), ("bios", 2), ("uefi", 1)]
    assert len(guests.timed) == 5


def test_a_failed_check_is_never_ok(tmp_path: Path, guests: Guests) -> None:
    boots = boots_of(tmp_path)
    guests.checks = {"system is running": True, "the script ran": False}
    record = VariantRecord(boots.variant, boots.directory, boots.directory)
    with pytest.raises(WorkbookError, match="proof of life failed"):
        boots.make(record, 1)
    result = made(boots)
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.message == "own: proof of life failed (bios): the script ran: as told"
    (boot,) = result.boots
    assert [(check.name, check.passed) for check in boot.checks if not check.passed] == [("the script ran", False)]


def test_a_failure_stays_in_the_record_also_once_the_boot_succeeds(tmp_path: Path, guests: Guests) -> None:
    boots = boots_of(tmp_path)
    guests.unreachable = True
    first = made(boots)
    assert (first.status, first.boots) == ("failed", ())
    (failed,) = first.failed_boots
    assert (failed.firmware, failed.index, failed.reason) == ("bios", 1, "no ssh login within 600 s")
    guests.unreachable = False
    second = made(boots)
    assert (second.status, second.error, names(second)) == ("ok", None, [("bios", 1)])
    assert second.failed_boots == (failed,)
    assert made(boots, 0).failed_boots == (failed,), "also where every boot is in the store"


def test_every_failure_counts_and_says_of_which_boot(tmp_path: Path, guests: Guests) -> None:
    boots = boots_of(tmp_path, counted_boots=1)
    guests.unreachable = True
    made(boots)
    made(boots)
    guests.unreachable = False
    assert made(boots, 1).status == "incomplete"
    guests.unreachable = True
    result = made(boots)
    assert [(one.firmware, one.index) for one in result.failed_boots] == [("bios", 1), ("bios", 1), ("counted", 1)]
    assert (result.status, names(result)) == ("failed", [("bios", 1)])


@pytest.mark.parametrize("name", ["image", "variant", "index"])
def test_the_failures_of_other_boots_are_not_told(tmp_path: Path, guests: Guests, name: str) -> None:
    guests.unreachable = True
    made(boots_of(tmp_path))
    guests.unreachable = False
    other = {
        "image": replace(boots_of(tmp_path), image=own_image(tmp_path, "image-2")),
        "variant": boots_of(tmp_path, guest_cpus=2),
        "index": boots_of(tmp_path, boots_bios=0, boots_uefi=1),
    }[name]
    assert made(other).failed_boots == ()


def test_the_reason_names_no_place_of_this_machine(tmp_path: Path, guests: Guests) -> None:
    boots = boots_of(tmp_path)

    def boot(*_: object) -> None:
        raise WorkbookError(f"{boots.directory}/console.log: cut off\nand a second line")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("atomic_lib.guest.boot_stages.boot_image", boot)
        (failed,) = made(boots).failed_boots
    assert failed.reason == "./console.log: cut off"


def test_a_damaged_record_of_a_failed_boot_is_set_aside(
    tmp_path: Path, guests: Guests, capsys: pytest.CaptureFixture[str]
) -> None:
    boots = boots_of(tmp_path)
    guests.checks = {"the script ran": False}
    for _ in range(2):
        made(boots)
    first, second = sorted((boots.context.store.root / "failed-boots").rglob("*.json"))
    first.write_bytes(first.read_bytes()[:20])
    guests.checks = {"the script ran": True}
    assert len(made(boots).failed_boots) == 1
    assert "the record of a failed boot is damaged" in capsys.readouterr().err
    assert (first.exists(), second.exists(), first.with_name(f"{first.name}.damaged").exists()) == (False, True, True)
