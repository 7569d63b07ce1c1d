"""All problems together."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.treefile_rules.findings import Findings


def failing() -> str:
    raise WorkbookError("bad", hint="mend it")


def test_each_problem_is_raised_once_with_all_hints() -> None:
    findings = Findings()
    findings.raise_problems()
    assert findings.attempt("a:1: ", lambda: 3) == 3
    for _ in range(2):
        assert findings.attempt("a:1: ", failing, ", included by b") is None
    findings.refuse("a:2: worse", "leave it")
    with pytest.raises(WorkbookError) as caught:
        findings.raise_problems()
    assert (caught.value.message, caught.value.hint) == ("a:1: bad, included by b\na:2: worse", "mend it; leave it")
