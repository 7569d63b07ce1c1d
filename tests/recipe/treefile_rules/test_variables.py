"""Variables and conditions by rpm-ostree's rules."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.treefile_rules.variables import Variable, holds, substituted, wrong_variables

VARIABLES: dict[str, Variable] = {"big": True, "stream": "devel", "releasever": 41, "basearch": "x86_64", "text": "41"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("big == true", True), ("big != true", False), ("big == false", False),
        ('stream == "devel"', True), ('stream != "stable"', True), ('basearch != "s390x"', True),
        ("releasever == 41", True), ("releasever >= 41", True), ("releasever > 41", False), ("releasever < 42", True),
        ("releasever <= 40", False), ("releasever != 40", True), ("  releasever   >= 9 ", True),
        ('text == "41"', True), ('stream == ""', False),
    ],
)  # fmt: skip
def test_a_condition_holds_or_not(condition: str, expected: bool) -> None:
    assert holds(condition, VARIABLES) is expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("big", "'big' is not a condition"),
        ("big = true", "'big = true' is not a condition"),
        ("big == True", "'big == True' is not a condition"),
        ("stream == devel", "'stream == devel' is not a condition"),
        ("releasever >= -1", "'releasever >= -1' is not a condition"),
        ("prod == true", "variable 'prod' is not defined"),
        ("text == 41", "'text == 41' compares '41' with 41, which has another type"),
        ("releasever == true", "'releasever == true' compares 41 with True, which has another type"),
        ("big > true", "'big > true': True is no number, and has no order"),
        ('stream >= "a"', "'stream >= \"a\"': 'devel' is no number, and has no order"),
    ],
)
def test_what_is_no_condition_is_refused(condition: str, message: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        holds(condition, VARIABLES)
    assert caught.value.message == message
    assert caught.value.hint


def test_variables_are_replaced_as_rpm_ostree_writes_them() -> None:
    assert substituted("a/${basearch}/${releasever}/${big}-$x{y}", VARIABLES) == "a/x86_64/41/true-$x{y}"
    with pytest.raises(WorkbookError, match=r"^\$\{prod\} has no value") as caught:
        substituted("${prod}", VARIABLES)
    assert "basearch, big" in caught.value.hint


@pytest.mark.parametrize(
    ("variables", "wrong"),
    [
        ({"a": True, "b": 3, "c": "x"}, ""),
        ([], "must be a mapping of names to values"),
        ({"releasever": 3}, "'releasever' is reserved; it has a value already"),
        ({"a": None}, "a: must be true or false, a whole number or text"),
        ({"a": -1}, "a: must be true or false, a whole number or text"),
        ({"a": "${b}"}, "a: '$', '{' and '}' are not accepted in a variable"),
    ],
)
def test_a_variable_is_a_flag_a_whole_number_or_text(variables: object, wrong: str) -> None:
    assert wrong_variables(variables) == wrong
