"""Which cases there are for a variant, and the verdict."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest.refusals.guest_refusals import GuestRefusals
from atomic_lib.guest.refusals.update_cases import CASES
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.update import variant_update
from atomic_lib.pipeline.update.variant_refusals import VariantRefusals, open_refusals, problems_of, require_refused
from tests.contexts import own_context
from tests.guest.refusals.cases import attempt, guest, result
from tests.guest.update.updates import AFTER, BEFORE, state


@pytest.fixture(autouse=True)
def own_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds in a directory of the test."""
    monkeypatch.setattr(variant_update, "open_build", lambda variant: Build(variant, own_context(tmp_path)))


def refusals(found: GuestRefusals) -> VariantRefusals:
    """The cases of atomic-min, of which this was found."""
    made = open_refusals("atomic-min", "unsigned dies")
    made.__dict__["guest"] = found
    versions = (Version(Path("repo"), "own/ref", commit) for commit in (BEFORE, AFTER))
    made.update.before.__dict__["recipe"] = made.update.before.whole_recipe
    made.update.__dict__["versions"] = UpdateVersions("atomic-min", *versions)
    return made


def test_the_cases_are_taken_in_their_own_order() -> None:
    assert open_refusals("atomic-min", "dies unsigned dies").cases == ("unsigned", "dies")
    assert open_refusals("atomic-min", " ".join(CASES)).cases == tuple(CASES)


@pytest.mark.parametrize(
    ("variant", "cases", "said"),
    [
        ("atomic-min", "unsigned hacked", "hacked: no such case of an update with a fault"),
        ("atomic-min", "", "there is no case to try"),
        ("cloud-docker", "unsigned", "cloud-docker: only the commit of a treefile is updated here"),
    ],
)
def test_what_cannot_be_tried_is_said_at_once(variant: str, cases: str, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        open_refusals(variant, cases)
    assert caught.value.message == said
    assert caught.value.hint


def test_the_verdict_counts_attempts_and_cases() -> None:
    found = guest(result("unsigned"), result("dies"), result("dies", "pull"))
    assert require_refused(refusals(found)).text == (
        "atomic-min: version 1 was left as it was by 3 attempts in 2 cases, and took the good version 2 after them."
    )


GOOD = guest(result("unsigned"), result("dies"))
TWICE = GOOD.twice


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (guest(result("unsigned", first=attempt(0, "no signatures found", 0))), "unsigned, by upgrade: was accepted"),
        (guest(twice=TWICE.model_copy(update={"status": 1, "said": "error: locked"})),
         "two upgrades at once: error: locked"),
        (guest(twice=TWICE.model_copy(update={"said": "", "fsck_status": 1, "fsck": "error: corrupt"})),
         "two upgrades at once: error: corrupt"),
        (guest(twice=TWICE.model_copy(update={"deployments": (f"* own {BEFORE}.0",)})),
         f"two upgrades at once: the deployments are * own {BEFORE}.0"),
        (guest(twice=TWICE.model_copy(update={"deployments": ("own other.0", f"* own {BEFORE}.0")})),
         f"two upgrades at once: the deployments are own other.0, * own {BEFORE}.0"),
        (guest(twice=TWICE.model_copy(update={"deployments": (*TWICE.deployments, "own third.0")})),
         f"two upgrades at once: the deployments are own {AFTER}.0, * own {BEFORE}.0, own third.0"),
        (guest(unhurt=state(AFTER)), "after all cases: another commit is booted"),
        (guest(states=(state(BEFORE), state(BEFORE))), "in version 2: another commit is booted"),
        (guest(unhurt=state(BEFORE).model_copy(update={"container_running": False})),
         "after all cases: the container does not run"),
    ],
)  # fmt: skip
def test_what_was_not_as_it_must_be_is_named(found: GuestRefusals, said: str) -> None:
    assert list(problems_of(refusals(found))) == [said]
    with pytest.raises(WorkbookError) as caught:
        require_refused(refusals(found))
    assert caught.value.message == f"atomic-min: an update with a fault was not treated as it must be: {said}"
