"""Kickstart commands for accounts: root, users, groups and their keys. None gives an image a password."""

import re
from dataclasses import replace
from typing import Any

from atomic_lib.recipe.recipe import Recipe

Options = dict[str, Any]
"""The options of a line that differ from the defaults. pykickstart is untyped, and so are their values."""

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_PATH = re.compile(r"/[\w./+@-]*", re.ASCII)
_KEY = re.compile(r"[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\x00-\x1f\x7f]*)?")


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
    _refuse_password(password, given.pop("isCrypted", False), "rootpw --lock")
    if not password and not locked:
        raise RefusedError("needs --lock: an image must not have a password")
    if not locked:
        recipe = noted(recipe, "rootpw --iscrypted: no password has such a hash, so root is locked")
    return replace(recipe, root_locked=True)


def group(recipe: Recipe, given: Options) -> Recipe:
    """Create a group."""
    number = given.pop("gid", None)
    words = ["groupadd", *(["--gid", str(number)] if number is not None else []), _name(given)]
    return _with_accounts(recipe, [words])


def user(recipe: Recipe, given: Options) -> Recipe:
    """Create a user without a password, its groups if necessary, and its home directory."""
    _refuse_password(given.pop("password", None), given.pop("isCrypted", False), "user without --password")
    given.pop("lock", None)  # without a password it is locked
    name = _name(given)
    groups = list(filter(None, (one.strip() for one in given.pop("groups", None) or [])))
    if wrong := [one for one in groups if not _NAME.fullmatch(one)]:
        raise RefusedError(f"--groups: {wrong[0]!r} is not the name of a group; for a number of its own, use group")
    values = {"uid": given.pop("uid", None), "shell": given.pop("shell", None), "home-dir": given.pop("homedir", None),
              "comment": given.pop("gecos", None), "groups": ",".join(groups) or None}  # fmt: skip
    for option in ("shell", "home-dir"):
        if values[option] is not None and not _PATH.fullmatch(values[option]):
            raise RefusedError(f"{values[option]!r} is not an absolute path")
    if re.search(r"[:\x00-\x1f\x7f]", values["comment"] or ""):
        raise RefusedError("--gecos must be one line without colons")
    words = [f"--{option}={value}" for option, value in values.items() if value is not None]
    number = given.pop("gid", None)
    own = [["groupadd", "--gid", str(number), name]] if number is not None else []
    words += [f"--gid={name}"] if own else ["--user-group"]
    created = [["groupadd", "--force", one] for one in groups]
    return _with_accounts(recipe, [*own, *created, ["useradd", "--create-home", "--no-log-init", *words, name]])


def sshkey(recipe: Recipe, given: Options) -> Recipe:
    """Let a public key log in as a user."""
    name, key = given.pop("username", None), single(given.pop("sshkey", None))
    if not name or not _NAME.fullmatch(name):
        raise RefusedError(f"{name!r} is not the name of a user")
    if not key or not _KEY.fullmatch(key):
        raise RefusedError('needs one public key in quotes, such as "ssh-ed25519 AAAA... NAME"')
    return replace(recipe, ssh_keys=(*recipe.ssh_keys, (name, key)))


def _name(given: Options) -> str:
    name = str(given.pop("name", None))
    if not _NAME.fullmatch(name):
        raise RefusedError(f"{name!r} is not a name of lower-case letters, digits, dash and underscore")
    return name


def _with_accounts(recipe: Recipe, commands: list[list[str]]) -> Recipe:
    """The recipe with more accounts; as in Anaconda, groups with numbers of their own come first, users last."""
    accounts = [*recipe.account_commands, *map(tuple, commands)]
    return replace(recipe, account_commands=tuple(sorted(accounts, key=_order)))


def _order(command: tuple[str, ...]) -> int:
    return 2 if command[0] == "useradd" else 1 if "--force" in command else 0


def _refuse_password(password: str | None, crypted: bool, instead: str) -> None:
    """Refuse a password, and a hash that a password can have; ``locked`` or ``*`` is no such hash."""
    bare = (password or "").lstrip("!*")
    hashed = bare.startswith(("$", "_")) or re.fullmatch(r"[./0-9A-Za-z]{13}", bare)
    if password and (hashed or not crypted):
        raise RefusedError(f"an image must not have a password: use {instead}, keys come from the metadata service")
