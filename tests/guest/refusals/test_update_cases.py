"""The cases, as data."""

import re
from typing import get_args

import pytest

from atomic_lib.guest.refusals.faulty_repositories import RepositoryName
from atomic_lib.guest.refusals.update_cases import CASES, MachineFault
from atomic_lib.guest.update.repository_server import ServerFault


@pytest.mark.parametrize("name", CASES)
def test_a_case_says_one_thing_that_is_wrong_and_what_the_administrator_must_see(name: str) -> None:
    case = CASES[name]
    assert case.ways
    assert set(case.keeps) <= {"upgrade", "pull"}
    assert (case.repository, case.server, case.machine) != ("good", "none", "none")
    assert (case.expected == "accepted") == (case.said == "")
    assert not re.search(case.said, "") or case.expected == "accepted"
    assert (case.expected == "resumed") == (case.repository == "good")


def test_everything_that_can_be_wrong_is_a_case() -> None:
    assert {case.repository for case in CASES.values()} == {*get_args(RepositoryName)}
    assert {case.server for case in CASES.values()} == {*get_args(ServerFault)}
    assert {case.machine for case in CASES.values()} == {*get_args(MachineFault)}
    assert len({case.title for case in CASES.values()}) == len(CASES)
