"""A verdict on boot times needs boots that were made in turn."""

import pytest

from atomic_lib.guest.boot_record import Boot
from atomic_lib.results.analysis.boot_groups import BootGroup
from atomic_lib.results.analysis.boot_times import BootTime
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

TIME = BootTime(BootGroup("bios", "tcg"), "ssh_login_seconds")


def result(name: str, seconds: float, minutes: list[int]) -> VariantResult:
    boots = [
        Boot(index=index + 1, firmware="bios", accelerator="tcg", ssh_login_seconds=seconds + index / 10,
             started=f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00+00:00")
        for index, minute in enumerate(minutes)
    ]  # fmt: skip
    return VariantResult(
        variant=name,
        status="ok",
        method="ostree",
        content="standin",
        recipe=name,
        agent="cloud-init",
        boots=tuple(boots),
    )


def word(base: list[int], other: list[int]) -> tuple[str, str]:
    results = (result("base", 60.0, base), result("other", 40.0, other))
    study = StudyResult(study="s", title="S", baseline="base", run="r", created="now", variants=results)
    verdict = TIME.verdict(study, results[1])
    assert verdict is not None
    return verdict.word, verdict.reason


def test_boots_made_in_turn_may_be_called_faster() -> None:
    assert word([*range(0, 16, 2)], [*range(1, 17, 2)])[0] == "faster"


@pytest.mark.parametrize("later", [[*range(100, 108)], [*range(16, 24)], [1, *range(100, 107)]])
def test_boots_of_two_sessions_are_not_compared(later: list[int]) -> None:
    assert word([*range(0, 16, 2)], later) == (
        "no difference shown", "the boots did not alternate within one session",
    )  # fmt: skip


@pytest.mark.parametrize(("alone", "expected"), [(True, "faster"), (False, "no difference shown")])
def test_boots_that_were_not_timed_alone_are_not_compared(alone: bool, expected: str) -> None:
    base, other = result("base", 60.0, [*range(0, 16, 2)]), result("other", 40.0, [*range(1, 17, 2)])
    boots = (other.boots[0].model_copy(update={"alone": alone}), *other.boots[1:])
    results = (base, other.model_copy(update={"boots": boots}))
    verdict = TIME.verdict(
        StudyResult(study="s", title="S", baseline="base", run="r", created="now", variants=results), results[1]
    )
    assert verdict is not None
    assert (verdict.word, verdict.reason == "the boots were not timed alone") == (expected, not alone)
