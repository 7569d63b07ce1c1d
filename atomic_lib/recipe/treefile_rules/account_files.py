"""The users and groups in the files and data of ``check-passwd`` and ``check-groups``."""

from collections.abc import Iterable, Mapping
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import AccountRules
from atomic_lib.recipe.source import lines_of

_FIELDS = {"passwd": 7, "group": 4}


def account_lines(text: str, kind: str, source: str) -> tuple[str, ...]:
    """The lines of a ``passwd`` or ``group`` file, the first one of each name.

    Raises WorkbookError naming ``source`` (the file) and the line if one does not have the form of such a file.
    """
    lines: dict[str, str] = {}
    for number, line in enumerate(lines_of(text), start=1):
        if not line.strip() or line.startswith(("#", "+", "-")):  # + and - are nsswitch.conf(5)'s compatibility mode
            continue
        fields = line.split(":")
        ids = fields[2:4] if kind == "passwd" else fields[2:3]
        if len(fields) != _FIELDS[kind] or not fields[0] or not all(one.isascii() and one.isdecimal() for one in ids):
            raise WorkbookError(
                f"{source}:{number}: is not a line of {kind}(5): {line!r:.100}",
                hint="name:x:UID:GID:GECOS:HOME:SHELL" if kind == "passwd" else "name:x:GID:MEMBERS",
            )
        lines.setdefault(fields[0], line)
    return tuple(lines.values())


def account_rules(values: Mapping[str, Any]) -> AccountRules | None:
    """The rules in a treefile's values, whose files stand in them as lines; None if it has none, or a file is not read.

    Raises WorkbookError, without the name of the file, if only one of both files would be taken over.
    """
    passwd, group = (values.get(key, {"type": "none"}) for key in ("check-passwd", "check-groups"))
    from_files = [key for key, value in (("check-passwd", passwd), ("check-groups", group)) if value["type"] == "file"]
    seeds = values.get("preserve-passwd", True)
    if any(check.get("lines", ()) is None for check in (passwd, group)):
        return None
    if len(from_files) == 1 and seeds:
        raise WorkbookError(
            f"{from_files[0]} is of type file, but {'check-groups' if 'passwd' in from_files[0] else 'check-passwd'} "
            "is not: users and groups would come from different places",
            hint="use type file for both, or set preserve-passwd: false",
        )
    users, groups = _users(passwd), _groups(group)
    if not users and not groups and not from_files:
        return None
    return AccountRules(
        passwd=passwd["lines"] if seeds and from_files else None,
        group=group["lines"] if seeds and from_files else None,
        users=users,
        groups=groups,
        removable_users=_sorted(values.get("ignore-removed-users", ())),
        removable_groups=_sorted(values.get("ignore-removed-groups", ())),
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _users(check: Mapping[str, Any]) -> tuple[tuple[str, int, int], ...]:
    if check["type"] == "file":
        fields = [line.split(":") for line in check["lines"]]
        return tuple(sorted((name, int(uid), int(gid)) for name, _, uid, gid, *_ in fields))
    entries = check["entries"] if check["type"] == "data" else {}
    ids = {name: value if isinstance(value, list) else [value] for name, value in entries.items()}
    return tuple(sorted((name, pair[0], pair[-1]) for name, pair in ids.items()))


def _groups(check: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    if check["type"] == "file":
        fields = [line.split(":") for line in check["lines"]]
        return tuple(sorted((name, int(gid)) for name, _, gid, *_ in fields))
    return tuple(sorted(check["entries"].items())) if check["type"] == "data" else ()
