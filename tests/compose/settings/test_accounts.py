"""Users and groups that a recipe names: put into an empty tree, and held against the finished one."""

import os
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.settings.accounts import check_accounts, put_accounts, with_accounts
from atomic_lib.recipe.recipe import AccountRules
from tests.contexts import NO_TOOLS

PASSWD = "root:x:0:0:root:/root:/bin/bash\nsvc:x:912:913::/:/sbin/nologin\n"
GROUP = "root:x:0:\nsvc:x:913:\n"
RULES = AccountRules(
    passwd=tuple(PASSWD.splitlines()),
    group=tuple(GROUP.splitlines()),
    users=(("root", 0, 0), ("svc", 912, 913)),
    groups=(("root", 0), ("svc", 913)),
)


@pytest.fixture
def tree(tmp_path: Path) -> Installroot:
    (tmp_path / "root").mkdir()
    return Installroot(NO_TOOLS, tmp_path / "root", 0)


def problems(tree: Installroot, rules: AccountRules) -> list[str]:
    with pytest.raises(WorkbookError) as caught:
        check_accounts(tree, rules, "a.yaml")
    assert "ignore-removed-users" in caught.value.hint
    return caught.value.message.splitlines()


def test_the_files_of_the_recipe_are_there_before_the_first_package(tree: Installroot) -> None:
    put_accounts(tree, RULES)
    assert (tree.read("etc/passwd"), tree.read("etc/group")) == (PASSWD, GROUP)
    assert (tree.root / "etc/shadow").read_text() == "root:*::0:99999:7:::\nsvc:*::0:99999:7:::\n"
    assert (tree.root / "etc/gshadow").read_text() == "root:::\nsvc:::\n"
    assert [(tree.root / "etc" / name).stat().st_mode & 0o777 for name in ("passwd", "group", "shadow", "gshadow")] == [
        0o644, 0o644, 0, 0,
    ]  # fmt: skip
    check_accounts(tree, RULES, "a.yaml")


def test_without_files_of_the_recipe_none_are_there(tree: Installroot) -> None:
    put_accounts(tree, AccountRules(users=RULES.users))
    assert list(tree.root.iterdir()) == []


def test_another_id_is_named(tree: Installroot) -> None:
    tree.write("etc/passwd", PASSWD.replace("912:913", "912:914"))
    tree.write("etc/group", GROUP.replace("913", "914"))
    assert problems(tree, RULES) == [
        "a.yaml: user svc has the id 912:914, not 912:913",
        "a.yaml: group svc has the id 914, not 913",
    ]


def test_a_missing_account_matters_only_if_a_file_has_its_id(tree: Installroot) -> None:
    rules = AccountRules(users=(("gone", os.getuid(), 5), ("unused", 4_000_000, 5)), groups=(("gone", os.getgid()),))
    tree.write("etc/passwd", PASSWD)
    user = f"a.yaml: user gone is missing, but /etc has its id {os.getuid()}"
    group = f"a.yaml: group gone is missing, but /etc has its id {os.getgid()}"
    assert problems(tree, rules) == [user, group]
    removable = AccountRules(users=rules.users, groups=rules.groups, removable_users=("gone",))
    assert problems(tree, removable) == [group]
    check_accounts(tree, AccountRules(rules.passwd, rules.group, rules.users, rules.groups, ("*",), ("*",)), "a.yaml")


def test_more_accounts_join_the_recipes_and_leave_them_as_they_are() -> None:
    own = AccountRules(
        passwd=("root:x:0:0:root:/root:/bin/bash", "nobody:x:99:99:Nobody:/:/sbin/nologin"),
        group=("root:x:0:", "bin:x:1:", "nobody:x:99:", "own:x:42:"),
    )
    group = [row.split(":") for row in ("root:*:0:", "daemon:*:1:", "bin:*:2:", "shadow:*:42:", "games:*:60:")]
    passwd = [row.split(":") for row in ("bin:*:2:2:bin:/bin:/x", "games:*:5:60:games:/g:/x", "nobody:*:9:1:n:/:/x")]
    rules = with_accounts(own, passwd, group)
    assert rules.group == (*(own.group or ()), "daemon:x:999:", "shadow:x:998:", "games:x:60:"), (
        "taken ids are replaced"
    )
    assert rules.passwd == (
        *(own.passwd or ()),
        "bin:x:2:1:bin:/bin:/x",  # the group has another id in the recipe
        "games:x:5:60:games:/g:/x",
    )
    assert with_accounts(AccountRules(group=own.group), passwd, group).passwd is None
