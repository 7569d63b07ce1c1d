"""The keys of a treefile: which are supported, with which values, and why others are not."""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.schema import parse_yaml_mapping

STRINGS = frozenset({"ref", "default-target", "automatic-version-prefix", "postprocess-script"})
FLAGS = frozenset({"recommends", "documentation", "selinux"})
LISTS = frozenset(
    {"repos", "packages", "exclude-packages", "install-langs", "units", "initramfs-args", "postprocess",
     "remove-files", "etc-group-members"}
)  # fmt: skip
FIXED: Mapping[str, tuple[object, ...]] = {
    "boot-location": ("modules", "new"),
    "cliwrap": (False,),
    "container": (False,),
    "machineid-compat": (False,),
    "readonly-executables": (False,),
    "tmp-is-dir": (True,),
}
"""Keys that are supported only with these values, because they describe what a compose always does."""
ARCHITECTURES = ("aarch64", "ppc64le", "riscv64", "s390x", "x86_64")
ACCEPTED = sorted(
    {*STRINGS, *FLAGS, *LISTS, *FIXED, "include", "releasever", *(f"packages-{name}" for name in ARCHITECTURES)}
)

_OLD_SPELLINGS = {
    "automatic_version_prefix": "automatic-version-prefix",
    "boot_location": "boot-location",
    "default_target": "default-target",
}
_NO_EARLIER = "a build has no previous commit and no list of users to check against"
_REASONS = {
    "add-files": "put the files into a package",
    "arch-include": "only one architecture is composed; use include and packages-ARCH",
    "automatic-version-suffix": "the version of a build is a parameter of its variant",
    "bootstrap_packages": "list them in packages",
    "check-groups": _NO_EARLIER,
    "check-passwd": _NO_EARLIER,
    "conditional-include": "use include, with a treefile for each case",
    "gpg-key": "a commit is signed by the signing_key of the variant",
    "gpg_key": "a commit is signed by the signing_key of the variant",
    "ignore-removed-groups": _NO_EARLIER,
    "ignore-removed-users": _NO_EARLIER,
    "preserve-passwd": _NO_EARLIER,
    "variables": "only ${basearch} and ${releasever} are substituted",
}
Values = dict[str, Any]
"""The values of a treefile by key. ``checked_values`` has checked the type of each."""

LANGUAGE = re.compile(r"[A-Za-z0-9_.@*-]+")
"""A language of %_install_langs, which goes into a file of rpm macros: a ``%`` there could run a command."""
_UNIT = re.compile(r"[\w@:.\\-]+\.(service|socket|timer|path|target|mount|automount|swap|slice)", re.ASCII)


def parse_treefile(path: Path, text: str) -> dict[str, object]:
    """The mapping in a treefile: YAML if the suffix is .yaml or .yml, otherwise JSON, as in rpm-ostree.

    Raises WorkbookError naming file and line if it cannot be parsed or is not a mapping.
    """
    if path.suffix in (".yaml", ".yml"):
        return parse_yaml_mapping(path, text)
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: _mapping_of_pairs(path, pairs))
    except json.JSONDecodeError as error:
        raise WorkbookError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    if not isinstance(value, dict):
        raise WorkbookError(f"{path}: must be a mapping of keys to values")
    return value


def checked_values(path: Path, values: Mapping[str, object]) -> Values:
    """The values of one treefile under the current key names; ``include`` as a list, ``releasever`` as text.

    Raises WorkbookError with one line for each key that is unknown, unsupported or of a wrong type.
    """
    problems: list[str] = []
    hints: list[str] = []
    result: Values = {}
    for key, value in values.items():
        name = _OLD_SPELLINGS.get(key, key)
        if name != key and name in values:
            problems.append(f"{path}: {key}: is the old spelling of {name}, which is also set")
        elif name not in ACCEPTED:
            problems.append(f"{path}: key {key!r} is not supported" + _why(str(key)))
            hints = [f"accepted keys: {', '.join(ACCEPTED)}"]
        elif wrong := _wrong_value(name, value):
            problems.append(f"{path}: {key}: {wrong}")
        else:
            result[name] = _normal(name, value)
    if problems:
        raise WorkbookError("\n".join(problems), hint="".join(hints) or "correct the treefile and run again")
    return result


def notes(values: Mapping[str, object]) -> tuple[str, ...]:
    """A sentence for each value that has no effect, or less than in rpm-ostree."""
    result = []
    if values.get("boot-location") == "new":
        result.append("boot-location: kernel and initramfs are only in /usr/lib/modules, as with `modules`")
    if "etc-group-members" in values:
        result.append("etc-group-members has no effect: all groups of the tree are in /etc/group")
    return tuple(result)


def script_locations(path: Path, text: str, count: int) -> list[str]:
    """``FILE:LINE`` of each ``postprocess`` entry; ``FILE: postprocess[N]`` in JSON, where lines are unknown."""
    if path.suffix in (".yaml", ".yml"):
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
            if key.value == "postprocess":
                return [f"{path}:{item.start_mark.line + 1}" for item in value.value]
    return [f"{path}: postprocess[{number}]" for number in range(count)]


def _mapping_of_pairs(path: Path, pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise WorkbookError(f"{path}: key {twice[0]!r} is given twice")
    return dict(pairs)


def _why(key: str) -> str:
    if key in _REASONS:
        return f": {_REASONS[key]}"
    close = get_close_matches(key, ACCEPTED, n=1, cutoff=0.85)
    return f": did you mean {close[0]!r}?" if close else ""


def _wrong_value(name: str, value: object) -> str:
    """What is wrong with the value of a supported key; empty if it is accepted."""
    if name == "include":
        return "" if _is_strings([value]) or _is_strings(value) else "must be a path or a list of paths"
    if name == "releasever":
        return "" if isinstance(value, str) or type(value) is int else "must be text or a whole number"
    if name in FIXED:
        accepted = " or ".join(json.dumps(item) for item in FIXED[name])
        return "" if value in FIXED[name] and not _is_number(value) else f"only {accepted} is supported"
    if name in FLAGS:
        return "" if isinstance(value, bool) else f"must be true or false, not {value!r}"
    if name in STRINGS:
        return _wrong_string(name, value)
    return _wrong_list(name, value)


def _wrong_string(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        return f"must be text, not {value!r}"
    if not value.isprintable():
        return f"{value!r} has a control character"
    if name == "default-target" and not re.fullmatch(r"[\w@:.\\-]+\.target", value, re.ASCII):
        return f"{value!r} is not a systemd target"
    return ""


def _wrong_list(name: str, value: object) -> str:
    if not _is_strings(value):
        return f"must be a list of strings, not {value!r}"
    for item in value:
        if not item.strip():
            return "has an empty entry"
        if name != "postprocess" and not item.isprintable():
            return f"{item!r} has a control character"
        if name == "install-langs" and not LANGUAGE.fullmatch(item):
            return f"{item!r} is not a language, such as en or en_US"
        if name == "exclude-packages" and len(item.split()) > 1:
            return f"{item!r} must be one package name"
        if name == "units" and not _UNIT.fullmatch(item):
            return f"{item!r} is not a full unit name, such as sshd.service"
        if name == "remove-files" and (item.startswith("/") or ".." in Path(item).parts):
            return f"{item!r} must be relative to the root of the tree"
    return ""


def _is_strings(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: object) -> bool:
    # 0 == False and 1 == True, so `in` alone would accept a number for a flag
    return isinstance(value, int | float) and not isinstance(value, bool)


def _normal(name: str, value: object) -> object:
    if name == "include":
        return [value] if isinstance(value, str) else value
    return str(value) if name == "releasever" else value
