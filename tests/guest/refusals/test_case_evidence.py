"""What of a case is not as it must be."""

import pytest

from atomic_lib.guest.refusals.update_cases import Way
from tests.guest.refusals.cases import OBJECTS, SAID, VERSION_1, attempt, result

MOVED = VERSION_1.model_copy(update={"refs": ("fedora-atomic:own/ref b",)})


@pytest.mark.parametrize("name", SAID)
def test_a_case_that_ends_as_it_must_has_no_problem(name: str) -> None:
    assert result(name).problems == ()


@pytest.mark.parametrize(
    ("name", "way", "changed", "said"),
    [
        ("unsigned", "upgrade", {"first": attempt(0, SAID["unsigned"], 0)}, "was accepted"),
        ("unsigned", "upgrade", {"first": attempt(1, "error: no route", 0)},
         "failed for another reason: error: no route"),
        ("unsigned", "upgrade", {"after": MOVED}, "the failure changed: refs"),
        ("unsigned", "upgrade", {"end": MOVED}, "not as before in the end: refs"),
        ("older-after-a-look", "check", {"end": MOVED, "after": MOVED}, "not as before in the end: refs"),
        ("older-after-a-look", "check", {"after": VERSION_1.model_copy(update={"etc": "other"})},
         "the failure changed: etc"),
        ("dies", "pull", {"repeat": attempt(0, "", OBJECTS)}, "downloaded everything again"),
        ("dies", "upgrade", {"repeat": attempt(0, "", OBJECTS)}, "downloaded everything again"),
        ("dies", "upgrade", {"repeat": attempt(1, "error: no", 33)}, "did not go on: error: no"),
        ("gone", "upgrade", {"repeat": None}, "did not go on: was not tried"),
        ("gone", "upgrade", {"end": VERSION_1.model_copy(update={"staged": 1})}, "not as before in the end: staged"),
        ("renewed-key", "pull", {"first": attempt(1, "error: expired", 0)}, "was not accepted: error: expired"),
    ],
)  # fmt: skip
def test_what_is_not_as_it_must_be_is_named(name: str, way: Way, changed: dict[str, object], said: str) -> None:
    assert result(name, way, **changed).problems == (said,)


def test_a_look_for_updates_may_move_the_ref() -> None:
    looked = result("older-after-a-look", "check", after=MOVED)
    assert (looked.problems, looked.changed) == ((), ("refs",))


def test_a_download_that_is_thrown_away_is_shown_and_no_problem() -> None:
    again = result("dies", "download", repeat=attempt(0, "", OBJECTS))
    assert (again.problems, again.kept_objects) == ((), 0)
    assert result("dies").kept_objects == 34
    assert result("unsigned").kept_objects is None
