"""The users and groups that a recipe names: put into the tree before packages, and checked at the end.

Source of the rules: rpm-ostree's ``passwd.rs``. rpm-ostree checks the accounts of /usr/lib only,
without root; here they are all in /etc.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.recipe.recipe import AccountRules

ACCOUNT_FILES = ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow")


def put_accounts(tree: Installroot, rules: AccountRules) -> None:
    """Write the account files of the recipe into an empty tree, so that scriptlets find its users and groups."""
    if rules.passwd is not None:
        tree.write("etc/passwd", _joined(rules.passwd), mode=0o644)
        tree.write("etc/shadow", _joined(f"{_name(line)}:*::0:99999:7:::" for line in rules.passwd), mode=0)
    if rules.group is not None:
        tree.write("etc/group", _joined(rules.group), mode=0o644)
        tree.write("etc/gshadow", _joined(f"{_name(line)}:::" for line in rules.group), mode=0)


def with_accounts(rules: AccountRules, passwd: Sequence[Sequence[str]], group: Sequence[Sequence[str]]) -> AccountRules:
    """The rules with more users and groups in the recipe's account files, which have none of these names.

    ``passwd`` and ``group``: rows of account files. An id that is taken is replaced by a free one below 1000, as
    systemd-sysusers does.
    """
    groups, became = _added(rules.group, group)
    owned = [[*row[:3], became.get(row[3], row[3]), *row[4:]] for row in passwd]
    users, _ = _added(rules.passwd, owned)
    return replace(rules, passwd=users, group=groups)


def _added(
    lines: tuple[str, ...] | None, rows: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...] | None, dict[str, str]]:
    """The lines with the rows that they lack, and what has become of the id of each row."""
    if lines is None:
        return None, {}
    ids = {name: number for name, _, number in (line.split(":")[:3] for line in lines)}
    added, became = [], {}
    for name, _, number, *rest in rows:
        if name not in ids:
            taken = set(ids.values())
            free = (str(value) for value in range(999, 0, -1) if str(value) not in taken)
            ids[name] = number if number not in taken else next(free)
            added.append(":".join((name, "x", ids[name], *rest)))
        became[number] = ids[name]
    return (*lines, *added), became


def check_accounts(tree: Installroot, rules: AccountRules, source: str) -> None:
    """Raise WorkbookError, which begins with ``source``, with a line for each account that is not as named.

    That is: one with another id, and one that is missing although a file of the tree has its id.
    """
    users = {row[0]: (row[2], row[3]) for row in _rows(tree, "etc/passwd", 4)}
    groups = {row[0]: (row[2],) for row in _rows(tree, "etc/group", 3)}
    wanted_users = {name: (str(uid), str(gid)) for name, uid, gid in rules.users}
    wanted_groups = {name: (str(gid),) for name, gid in rules.groups}
    problems = [*_changed("user", users, wanted_users), *_changed("group", groups, wanted_groups)]
    gone_users = _missing(users, wanted_users, rules.removable_users)
    gone_groups = _missing(groups, wanted_groups, rules.removable_groups)
    owners = _owners(tree) if gone_users or gone_groups else ({}, {})
    for what, names, wanted, owned in (
        ("user", gone_users, wanted_users, owners[0]),
        ("group", gone_groups, wanted_groups, owners[1]),
    ):
        problems += [
            f"{what} {name} is missing, but /{owned[wanted[name][0]]} has its id {wanted[name][0]}"
            for name in names
            if wanted[name][0] in owned
        ]
    if problems:
        raise WorkbookError(
            "\n".join(f"{source}: {problem}" for problem in problems),
            hint="correct check-passwd and check-groups, or name the account in ignore-removed-users or "
            "ignore-removed-groups",
        )


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _name(line: str) -> str:
    return line.partition(":")[0]


def _rows(tree: Installroot, path: str, fields: int) -> list[list[str]]:
    rows = [line.split(":") for line in (tree.read(path) or "").split("\n")]
    return [row for row in rows if len(row) >= fields]


def _changed(what: str, present: Mapping[str, tuple[str, ...]], wanted: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    for name in sorted(wanted.keys() & present.keys()):
        if present[name] != wanted[name]:
            yield f"{what} {name} has the id {':'.join(present[name])}, not {':'.join(wanted[name])}"


def _missing(present: Mapping[str, object], wanted: Mapping[str, object], removable: Iterable[str]) -> list[str]:
    allowed = set(removable)
    return [] if "*" in allowed else sorted(wanted.keys() - present.keys() - allowed)


def _owners(tree: Installroot) -> tuple[dict[str, str], dict[str, str]]:
    """A path of each user id and of each group id."""
    users: dict[str, str] = {}
    groups: dict[str, str] = {}
    for path, status in tree.files.below():
        users.setdefault(str(status.st_uid), path)
        groups.setdefault(str(status.st_gid), path)
    return users, groups
