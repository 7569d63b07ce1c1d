"""The line that an error repeats of dnf's own."""

import pytest

from atomic_lib.solve.solver_errors import reason_of

TWO_PROBLEMS = """
Last metadata expiration check: 0:00:01 ago.
Error:
 Problem 1: conflicting requests
  - nothing provides libfoo.so.1 needed by foo-1-1.x86_64
 Problem 2: package bar-2-1.noarch conflicts with baz provided by baz-1-1.noarch
  - conflicting requests
  - package quux-1-1.noarch requires bar, but none of the providers can be installed
(try to add '--allowerasing' to command line to replace conflicting packages or '--skip-broken' to skip)
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (TWO_PROBLEMS, ": package quux-1-1.noarch requires bar, but none of the providers can be installed"),
        ("Error:\n Problem: a conflicts with b\n", ": Problem: a conflicts with b"),
        ("Error: \n", ""),
        ("", ""),
        ("x" * 9000, ": " + "x" * 500),
    ],
)
def test_the_reason_is_the_last_line_that_names_a_package(output: str, reason: str) -> None:
    assert reason_of(output) == reason
