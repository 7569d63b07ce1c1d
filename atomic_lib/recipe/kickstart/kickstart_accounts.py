"""Kickstart commands for accounts: root, users, groups and their keys. None gives an image a password."""

import re
from dataclasses import replace
from typing import Any

from atomic_lib.recipe.recipe import Recipe

Options = dict[str, Any]
"""The options of a line that differ from the defaults. pykickstart is untyped, and so are their values."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_GROUP = re.compile(r"\s*(.*?)\s*(?:\((\d+)\))?\s*")
"""A group in ``user --groups``: its name, and its number in parentheses (Anaconda's GROUPLIST_FANCY_PARSE)."""
_PATH = re.compile(r"/[\w./+@-]*", re.ASCII)
_KEY = re.compile(r"[^\s\x00-\x1f\x7f]+ [^\x00-\x1f\x7f]+")
"""A line of authorized_keys: options, type, key, comment."""
_NO_PASSWORD = "an image must not have a password, so none is set; keys come from sshkey or the metadata service"


class RefusedError(Exception):
    """A command asks for something that an image cannot have; the message says what is accepted."""


def noted(recipe: Recipe, note: str) -> Recipe:
    """The recipe with one more note."""
    return replace(recipe, notes=(*recipe.notes, note))


def single(value: Any) -> str | None:
    """The value of an option that pykickstart may keep in a list."""
    return value[0] if isinstance(value, list) and value else value or None


def rootpw(recipe: Recipe, given: Options) -> Recipe:
    """Lock the root account. Cloud kickstarts use ``--iscrypted locked``, a hash that no password has."""
    password, locked = given.pop("password", None), given.pop("lock", False)
    if _is_password(password, given.pop("isCrypted", False)):
        recipe = noted(recipe, f"rootpw: {_NO_PASSWORD}")
    elif not locked:
        recipe = noted(recipe, "rootpw --iscrypted: no password has such a hash, so root is locked")
    return replace(recipe, root_locked=True)


def group(recipe: Recipe, given: Options) -> Recipe:
    """Create a group; as in Anaconda, all of them before the first user."""
    created = _groupadd(_accepted(given.pop("name", None)), given.pop("gid", None))
    return replace(recipe, group_commands=(*recipe.group_commands, created))


def user(recipe: Recipe, given: Options) -> Recipe:
    """Create a user without a password, its groups if necessary, and its home directory."""
    name = _accepted(given.pop("name", None))
    if _is_password(given.pop("password", None), given.pop("isCrypted", False)):
        recipe = noted(recipe, f"user {name}: {_NO_PASSWORD}")
    given.pop("lock", None)  # without a password it is locked
    groups = [_group(one) for one in filter(None, given.pop("groups", None) or [])]
    values = {"uid": given.pop("uid", None), "shell": given.pop("shell", None), "home-dir": given.pop("homedir", None),
              "comment": given.pop("gecos", None), "groups": ",".join(one for one, _ in groups) or None}  # fmt: skip
    for option in ("shell", "home-dir"):
        if values[option] and not _PATH.fullmatch(values[option]):
            raise RefusedError(f"{values[option]!r} is not an absolute path")
    if re.search(r"[:\x00-\x1f\x7f]", values["comment"] or ""):
        raise RefusedError("--gecos must be one line without colons")
    words = [f"--{option}={value}" for option, value in values.items() if value]  # as in Anaconda, not 0 either
    number = given.pop("gid", None)
    own = [_groupadd(name, number)] if number and all(one != str(number) for _, one in groups) else []
    words.append(f"--gid={number}" if number else "--user-group")
    commands = [*own, *(_groupadd(*one) for one in groups), ("useradd", "--create-home", "--no-log-init", *words, name)]
    return replace(recipe, account_commands=(*recipe.account_commands, *commands))


def sshkey(recipe: Recipe, given: Options) -> Recipe:
    """Let a public key log in as a user."""
    name, key = given.pop("username", None), single(given.pop("sshkey", None))
    if not name or not _NAME.fullmatch(name):
        raise RefusedError(f"{name!r} is not the name of a user")
    if not key or not _KEY.fullmatch(key):
        raise RefusedError('needs one public key in quotes, such as "ssh-ed25519 AAAA... NAME"')
    return replace(recipe, ssh_keys=(*recipe.ssh_keys, (name, key)))


def _groupadd(name: str, number: int | str | None) -> tuple[str, ...]:
    return ("groupadd", *(["--gid", str(number)] if number else []), name)


def _group(text: str) -> tuple[str, str | None]:
    """The name and the number of a group in ``user --groups``."""
    found = _GROUP.fullmatch(text)
    return (_accepted(found[1]), found[2]) if found else (_accepted(text), None)


def _accepted(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        accepted = "a letter or underscore, then letters, digits, dots, dashes or underscores"
        raise RefusedError(f"{name!r} is not a name: {accepted}")
    return name


def _is_password(password: str | None, crypted: bool) -> bool:
    """Whether it is a password, or a hash that a password can have; ``locked`` or ``*`` is no such hash."""
    bare = (password or "").lstrip("!*")
    hashed = bare.startswith(("$", "_")) or re.fullmatch(r"[./0-9A-Za-z]{13}", bare)
    return bool(password and (hashed or not crypted))
