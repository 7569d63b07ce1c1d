"""Users and groups that a treefile names, from files and from data."""

from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import AccountRules
from atomic_lib.recipe.treefile_rules.account_files import account_lines, account_rules

PASSWD = ("root:x:0:0:root:/root:/bin/bash", "svc:x:912:913::/:/sbin/nologin")
GROUP = ("root:x:0:", "svc:x:913:root")
FILES = {"check-passwd": {"type": "file", "lines": PASSWD}, "check-groups": {"type": "file", "lines": GROUP}}
USERS, GROUPS = (("root", 0, 0), ("svc", 912, 913)), (("root", 0), ("svc", 913))


def test_the_first_line_of_a_name_counts() -> None:
    text = f"{PASSWD[0]}\n\n# comment\n+::::::\n-nobody\n{PASSWD[1]}\nroot:x:7:7::/:/bin/sh\n"
    assert account_lines(text, "passwd", "passwd") == PASSWD


def test_a_line_ends_at_a_line_feed_only() -> None:
    line = "a:x:1:1:first\u2028second\x85:/:/bin/sh"
    assert account_lines(f"{line}\r\n{PASSWD[0]}\n", "passwd", "passwd") == (line, PASSWD[0])


@pytest.mark.parametrize(
    ("text", "kind"),
    [("svc:x:9\n", "passwd"), ("svc:x:a:9::/:/bin/sh\n", "passwd"), ("svc:x:-9:\n", "group"), (":x:9:\n", "group"),
     ("svc:x:٩:\n", "group")],
)  # fmt: skip
def test_a_line_of_another_form_is_named(text: str, kind: str) -> None:
    with pytest.raises(WorkbookError, match=rf"^f:2: is not a line of {kind}\(5\)"):
        account_lines(f"# comment\n{text}", kind, "f")


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({}, None),
        ({"check-passwd": {"type": "none"}, "check-groups": {"type": "previous"}}, None),
        (FILES, AccountRules(PASSWD, GROUP, USERS, GROUPS)),
        ({**FILES, "preserve-passwd": False}, AccountRules(None, None, USERS, GROUPS)),
        ({**FILES, "ignore-removed-users": ["b", "a", "b"], "ignore-removed-groups": ["*"]},
         AccountRules(PASSWD, GROUP, USERS, GROUPS, ("a", "b"), ("*",))),
        ({"check-passwd": {"type": "data", "entries": {"bin": 1, "adm": [3, 4], "x": [5]}}},
         AccountRules(users=(("adm", 3, 4), ("bin", 1, 1), ("x", 5, 5)))),
        ({"check-groups": {"type": "data", "entries": {"bin": 1}}}, AccountRules(groups=(("bin", 1),))),
    ],
)  # fmt: skip
def test_the_rules_are_those_of_the_values(values: dict[str, Any], rules: AccountRules | None) -> None:
    assert account_rules(values) == rules


@pytest.mark.parametrize("key", ["check-passwd", "check-groups"])
def test_one_file_without_the_other_is_refused_if_it_is_taken_over(key: str) -> None:
    values = {key: FILES[key]}
    with pytest.raises(WorkbookError, match=f"^{key} is of type file, but .* is not"):
        account_rules(values)
    assert account_rules({**values, "preserve-passwd": False}) is not None
