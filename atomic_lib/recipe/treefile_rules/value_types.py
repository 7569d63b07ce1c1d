"""Checks the types of a treefile's values."""

import json
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TypeGuard

from atomic_lib.recipe.treefile_rules.variables import RESERVED, wrong_variables

TEXTS = frozenset({"ref", "default-target", "automatic-version-prefix", "automatic-version-suffix", "gpg-key",
                   "mutate-os-release", "platform-module", "postprocess-script"})  # fmt: skip
PACKAGE_LISTS = ("packages", "bootstrap-packages")
LISTS = frozenset(
    {*PACKAGE_LISTS, "container-cmd", "etc-group-members", "exclude-packages", "ignore-removed-groups",
     "ignore-removed-users", "initramfs-args", "install-langs", "lockfile-repos", "ostree-layers",
     "ostree-override-layers", "postprocess", "remove-files", "repos", "units"}
)  # fmt: skip
"""Keys whose value is a list of text."""
_UNIT = re.compile(r"[\w@:.\\-]+\.(service|socket|timer|path|target|mount|automount|swap|slice)", re.ASCII)
_TARGET = re.compile(r"[\w@:.\\-]+\.target", re.ASCII)
_INTO_USR = ("usr/", "etc/", "bin/", "sbin/", "lib/", "lib64/")
_LONGEST_EXPRESSION = 10_000
_POSIX_CLASS = re.compile(r"\[:\^?[a-z]+:\]")
_LARGEST_ID = 0xFFFF_FFFE
_LARGEST_INT64 = (1 << 63) - 1


def wrong_text(name: str, value: object) -> str:
    """What is wrong with a text; empty if it is accepted."""
    if not isinstance(value, str) or not value:
        return f"must be text, not {value!r:.100}"
    if not value.isprintable():
        return f"{value!r:.100} has a control character"
    if name == "default-target" and not _TARGET.fullmatch(value):
        return f"{value!r} is not a systemd target"
    if name == "automatic-version-suffix" and not re.fullmatch(r"[!-~]", value):
        return f"{value!r} must be one ASCII character"
    return ""


def wrong_list(name: str, value: object) -> str:
    """What is wrong with a list of text; empty if it is accepted."""
    if not isinstance(value, list):
        return f"must be a list of strings, not {value!r:.100}"
    for number, item in enumerate(value, start=1):
        if not isinstance(item, str):
            shown = json.dumps(item, ensure_ascii=False)[:100]
            return f"must be a list of strings, but entry {number} is {shown}: write a text in quotes"
        if name == "container-cmd":
            continue
        if not item.strip():
            return "has an empty entry"
        if name != "postprocess" and not all(letter.isprintable() or letter in "\n\t" for letter in item):
            return f"{item!r:.100} has a control character"
        if name not in ("postprocess", *PACKAGE_LISTS) and not item.isprintable():
            return f"{item!r:.100} has a control character"
        if name == "exclude-packages" and len(item.split()) > 1:
            return f"{item!r} must be one package name"
        if name == "units" and not _UNIT.fullmatch(item):
            return f"{item!r} is not a full unit name, such as sshd.service"
        if name == "remove-files" and (item.startswith("/") or ".." in item):
            return f"{item!r} must be relative to the root of the tree"
        if name == "remove-files" and not PurePosixPath(item).parts:
            return f"{item!r} is the whole tree"
    return ""


def _wrong_pairs(value: object) -> str:
    """For ``add-files``."""
    if not isinstance(value, list) or not all(_is_texts(item) and len(item) == 2 for item in value):
        return "must be a list of pairs [FILE, PATH IN THE TREE]"
    for source, target in value:
        inner = target.lstrip("/")
        if not inner.startswith(_INTO_USR) or inner.startswith("usr/local/") or ".." in PurePosixPath(inner).parts:
            return f"{target!r} is not below /usr (without /usr/local) or /etc"
        if not f"{source}{target}".isprintable() or not source or inner.endswith("/"):
            return f"[{source!r}, {target!r}] does not name a file"
    return ""


def _wrong_removals(value: object) -> str:
    """For ``remove-from-packages``."""
    if not isinstance(value, list) or not all(_is_texts(item) and item for item in value):
        return "must be a list of lists [PACKAGE, REGULAR EXPRESSION...]"
    for expression in (expression for item in value for expression in item[1:]):
        if len(expression) > _LONGEST_EXPRESSION:
            return f"{expression!r:.100} is longer than {_LONGEST_EXPRESSION} characters"
        if _POSIX_CLASS.search(expression):  # Python would read it as a set of its letters
            return f"{expression!r:.100} has a class such as [:digit:], which is not supported: write it as 0-9"
        try:
            with warnings.catch_warnings(action="ignore"):  # of what a later Python may read otherwise
                re.compile(expression)
        except (re.error, RecursionError, OverflowError) as error:
            return f"{expression!r:.100} is not a regular expression of Python: {error}"
    return ""


def _wrong_repo_packages(value: object) -> str:
    texts = isinstance(value, list) and all(
        isinstance(item, Mapping)
        and {"repo", "packages"} <= item.keys()
        and isinstance(item["repo"], str)
        and _is_texts(item["packages"])
        for item in value
    )
    return "" if texts else "must be a list of mappings with the keys repo (text) and packages (a list of strings)"


def _wrong_repovars(value: object) -> str:
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        return "must be a mapping of names to text"
    for name, text in value.items():
        if name in RESERVED:
            return f"{name!r} has a value already" + ("; set the key releasever" if name == "releasever" else "")
        if not re.fullmatch(r"\w+", name, re.ASCII) or not text.isprintable():
            return f"{name!r}: a name has letters, digits and underscores, and a value no control characters"
    return ""


def _wrong_check(value: object) -> str:
    """For ``check-passwd`` and ``check-groups``."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or kind not in ("none", "previous", "file", "data"):
        return 'must be a mapping whose type is "none", "previous", "file" or "data"'
    if kind == "file" and not (isinstance(value.get("filename"), str) and value["filename"]):
        return "type file needs a filename"
    entries = value.get("entries")
    if kind == "data" and not (isinstance(entries, Mapping) and all(map(_are_ids, entries.values()))):
        return "type data needs entries: a mapping of names to an id, or to a list of user and group id"
    return ""


def _wrong_groups_check(value: object) -> str:
    entries = value.get("entries") if isinstance(value, Mapping) and value.get("type") == "data" else None
    if isinstance(entries, Mapping) and not all(map(_is_id, entries.values())):
        return "type data needs entries: a mapping of names to an id"
    return _wrong_check(value)


def _are_ids(value: object) -> bool:
    return _is_id(value) or (isinstance(value, list) and len(value) in (1, 2) and all(map(_is_id, value)))


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID


def _wrong_rojig(value: object) -> str:
    fields = ("name", "summary", "license")
    fitting = isinstance(value, Mapping) and all(isinstance(value.get(name), str) for name in fields)
    return "" if fitting else f"must be a mapping with the texts {', '.join(fields)}"


def _wrong_mapping(value: object) -> str:
    texts = isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    return "" if texts else "must be a mapping of names to values"


def _wrong_commit_metadata(value: object) -> str:
    if wrong := _wrong_mapping(value):
        return wrong
    assert isinstance(value, Mapping)
    for key, item in value.items():
        if key == "version" or not key.isprintable() or "=" in key or not key:
            return f"{key!r} cannot be set: " + (
                "the version is that of automatic-version-prefix" if key == "version" else "it is not the name of a key"
            )
        if wrong := _wrong_data(item):
            return f"{key}: {wrong}"
    return ""


def _wrong_data(value: object) -> str:
    """What a commit's metadata cannot have of a value; empty if it is accepted."""
    if isinstance(value, Mapping | list):
        inner = [*value, *value.values()] if isinstance(value, Mapping) else value
        return next(filter(None, map(_wrong_data, inner)), "")
    if isinstance(value, int) and not -_LARGEST_INT64 <= value <= _LARGEST_INT64:
        return "a number needs more than 64 bits"
    if isinstance(value, str) and "\0" in value:
        return "a text has a null byte"
    return "" if isinstance(value, str | int | float) else f"{value!r:.100} has no type in a commit"


def _wrong_arch_include(value: object) -> str:
    fitting = isinstance(value, Mapping) and all(
        (isinstance(item, str) and item) or _is_texts(item) for item in value.values()
    )
    return "" if fitting else "must be a mapping of architectures to a path or a list of paths"


def _wrong_conditional_include(value: object) -> str:
    fitting = isinstance(value, list) and all(
        isinstance(item, Mapping)
        and {"if", "include"} <= item.keys()
        and (isinstance(item["if"], str) or _is_texts(item["if"]))
        and (isinstance(item["include"], str | Mapping) or _is_texts(item["include"]))
        for item in value
    )
    return "" if fitting else (
        "must be a list of mappings with the keys if (a condition or a list of them) and include (a path, a list of "
        "paths, or a treefile)"
    )  # fmt: skip


STRUCTURES: Mapping[str, Callable[[object], str]] = {
    "add-commit-metadata": _wrong_commit_metadata,
    "add-files": _wrong_pairs,
    "arch-include": _wrong_arch_include,
    "check-groups": _wrong_groups_check,
    "check-passwd": _wrong_check,
    "conditional-include": _wrong_conditional_include,
    "metadata": _wrong_mapping,
    "remove-from-packages": _wrong_removals,
    "repo-packages": _wrong_repo_packages,
    "repovars": _wrong_repovars,
    "rojig": _wrong_rojig,
    "variables": wrong_variables,
}
"""Keys with a value of their own form; each function says what is wrong with one, or nothing."""


def wrong_structure(name: str, value: object) -> str:
    """What is wrong with the value of one of ``STRUCTURES``; empty if it is accepted."""
    return STRUCTURES[name](value)


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
