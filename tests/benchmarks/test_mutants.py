"""The list of mutants fits the code, and its runner tells a mutant that a test sees from one that survives."""

import ast
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from benchmarks import mutants
from benchmarks.mutants import Mutant, Outcome, Verdict, chosen, load_mutants, main, try_mutants

CHECKOUT = Path(__file__).parents[2]
CODE = """\
def share(whole: int, parts: int) -> int:
    while whole < 0:
        whole += parts
    return whole // parts if parts else 0
"""
TESTS = """\
import os
import pytest
from code_of_ours import share

@pytest.mark.parametrize("whole", [7], ids=["an odd number"])
def test_share(whole: int) -> None:
    assert share(whole, 2) == 3

def test_a_negative_share() -> None:
    assert share(-1, 2) == 0

def test_processes_import_the_copy() -> None:
    assert os.path.exists(os.environ["PYTHONPATH"] + "/code_of_ours.py")
"""


@pytest.mark.parametrize("mutant", load_mutants(), ids=lambda mutant: mutant.name)
def test_every_mutant_fits_the_code(mutant: Mutant) -> None:
    text = mutant.put_into((CHECKOUT / mutant.file).read_text())
    assert ast.dump(ast.parse(text)) != ast.dump(ast.parse((CHECKOUT / mutant.file).read_text()))
    for path in (CHECKOUT / tests for tests in mutant.tests):
        assert path.is_file() or list(path.rglob("test_*.py")), f"{path} has no tests"
        assert path.is_relative_to(CHECKOUT / "tests")
        assert not path.is_relative_to(CHECKOUT / "tests/integration")


def test_there_are_fifty_mutants_beside_those_that_were_reported() -> None:
    assert sum(not mutant.name.startswith("reported-") for mutant in load_mutants()) >= 50


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a function, its tests, and a file that Git does not track."""
    top = tmp_path / "checkout"
    (top / "tests").mkdir(parents=True)
    (top / "code_of_ours.py").write_text(CODE)
    (top / "tests/test_share.py").write_text(TESTS)
    command.run(["git", "init", "--quiet", top])
    command.run(["git", "-C", top, "add", "."])
    (top / "tests/test_untracked.py").write_text("def test_nothing() -> None:\n    assert False\n")
    return top


def mutant(name: str, before: str, after: str, *tests: str) -> Mutant:
    return Mutant(name=name, file="code_of_ours.py", before=before, after=after, tests=tests or ("tests",))


KILLED = mutant("own-killed", "whole // parts", "whole / parts")
SURVIVOR = mutant("own-survivor", "else 0", "else 1")
ENDLESS = mutant("own-endless", "whole += parts", "__import__('time').sleep(600)")
BROKEN = mutant("own-broken", "whole // parts", "whole // of_nothing.parts", "tests/test_share.py")


def verdicts(checkout: Path, *tried: Mutant, timeout_seconds: float = 60) -> dict[str, Verdict]:
    return {
        outcome.mutant.name: outcome.run for outcome in try_mutants(tried, checkout, timeout_seconds=timeout_seconds)
    }


def test_a_mutant_is_killed_by_the_test_that_sees_it_and_survives_where_none_does(checkout: Path) -> None:
    assert verdicts(checkout, SURVIVOR, KILLED, BROKEN) == {
        "own-survivor": Verdict("survived"),
        "own-killed": Verdict("killed", "tests/test_share.py::test_share[an odd number]"),
        "own-broken": Verdict("killed", "tests/test_share.py::test_share[an odd number]"),
    }
    assert (checkout / "code_of_ours.py").read_text() == CODE


def test_a_time_out_counts_as_killed_and_says_so(checkout: Path) -> None:
    assert verdicts(checkout, ENDLESS, timeout_seconds=1) == {"own-endless": Verdict("killed (time-out)")}


def test_tests_have_to_pass_without_the_mutant(checkout: Path) -> None:
    (checkout / "tests/test_share.py").write_text(TESTS.replace("== 3", "== 4"))
    with pytest.raises(
        WorkbookError, match=r"own-killed: fails without the mutant, too: tests/test_share\.py::test_share\["
    ):
        verdicts(checkout, KILLED)


def test_tests_have_to_exist(checkout: Path) -> None:
    with pytest.raises(WorkbookError, match=r"pytest tests/test_none\.py: exit status 4"):
        verdicts(checkout, mutant("own-untested", "else 0", "else 1", "tests/test_none.py"))


@pytest.mark.parametrize(("before", "times"), [("whole = parts", 0), ("parts", 3)])
def test_what_is_replaced_has_to_occur_once(before: str, times: int) -> None:
    with pytest.raises(WorkbookError, match=rf"own-odd: before: occurs {times} times in code_of_ours\.py"):
        mutant("own-odd", before, "pass").put_into(CODE.replace("whole += parts", "whole += 1"))


def test_mutants_are_chosen_by_name() -> None:
    assert chosen([KILLED, SURVIVOR], ["own-survivor"]) == [SURVIVOR]
    assert chosen([KILLED, SURVIVOR], []) == [KILLED, SURVIVOR]
    with pytest.raises(WorkbookError, match="no mutant 'own-none'"):
        chosen([KILLED, SURVIVOR], ["own-none"])


def test_a_name_may_be_there_only_once(tmp_path: Path) -> None:
    entry = "- {name: own, file: a.py, before: b, after: c, tests: [tests]}\n"
    (tmp_path / "mutants.yaml").write_text(f"mutants:\n{entry}{entry}")
    with pytest.raises(WorkbookError, match="'own' is there twice"):
        load_mutants(tmp_path / "mutants.yaml")


@pytest.mark.parametrize(("survivors", "status"), [(0, 0), (3, 0), (4, 1)])
def test_more_than_three_survivors_are_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], survivors: int, status: int
) -> None:
    outcomes = [Outcome(SURVIVOR, Verdict("survived"), 1.0)] * survivors
    outcomes.append(Outcome(KILLED, Verdict("killed", "tests/test_share.py::test_share[an odd number]"), 2.0))
    monkeypatch.setattr(mutants, "try_mutants", lambda *_: outcomes)
    assert main([]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "killed                2.0 s  own-killed: tests/test_share.py::test_share[an odd number]"
    assert lines[-1] == f"killed 1 of {survivors + 1}"
