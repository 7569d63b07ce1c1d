"""Budgets as they are written: what is accepted, and what is wrong with what is not."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.budgets import Budget, load_budgets


@pytest.fixture
def params(tmp_path: Path) -> Path:
    (tmp_path / "variants").mkdir()
    (tmp_path / "variants/own.yaml").touch()
    return tmp_path


def budgets(params: Path, text: str) -> dict[str, Budget]:
    (params / "budgets.yaml").write_text(text)
    return load_budgets(params)


def test_without_a_file_there_are_none_and_those_of_the_checkout_are_accepted(params: Path) -> None:
    assert load_budgets(params) == {}
    assert "dnf" in load_budgets()["atomic-min"].forbidden_packages


def test_a_budget_is_read(params: Path) -> None:
    text = "budgets:\n  own:\n    tree_bytes: 5\n    counted_busy_seconds: 19.5\n    set_uid_files: []\n"
    own = budgets(params, text)["own"]
    assert (own.tree_bytes, own.counted_busy_seconds, own.set_uid_files) == (5, 19.5, ())
    assert (own.package_count, own.listening_sockets) == (None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("own: {}", "must have one key, budgets"),
        ("budgets: []", "must have one key, budgets"),
        ("budgets:\n  won: {}", "no such variant 'won' (did you mean 'own'?)"),
        ("budgets:\n  own: 5", "budgets: own: must be a mapping"),
        ("budgets:\n  own:\n    tree_byte: 5", "budgets: own: unknown key 'tree_byte' (did you mean 'tree_bytes'?)"),
        ("budgets:\n  own:\n    tree_bytes: -5", "tree_bytes: -5 is not accepted: must be at least 0"),
        ("budgets:\n  own:\n    tree_bytes: 5 MB", "tree_bytes: '5 MB' is not accepted: must be a whole number"),
        ("budgets:\n  own:\n    forbidden_packages: dnf", "forbidden_packages: 'dnf' is not accepted: must be a list"),
        ("budgets:\n  own:\n    ssh_login_seconds: 50", "ssh_login_seconds: there is no budget of wall-clock times"),
        ("budgets:\n  own:\n    counted_busy_seconds: .nan", "counted_busy_seconds"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(params: Path, text: str, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        budgets(params, text)
    assert caught.value.message.startswith(str(params / "budgets.yaml"))
    assert said in caught.value.message
