"""The keys of a treefile in their three states: honoured, without effect here, refused; and why.

Keys and rules are those of rpm-ostree's treefile reference (docs/treefile.md) and its reader
(rust/src/treefile.rs).
"""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from atomic_lib.recipe.treefile_rules.value_types import (
    LISTS,
    STRUCTURES,
    TEXTS,
    wrong_list,
    wrong_structure,
    wrong_text,
)

Values = dict[str, Any]
"""The values of a treefile by key. ``wrong_value`` has accepted each."""

FLAGS = frozenset({"documentation", "machineid-compat", "no-initramfs", "preserve-passwd", "readonly-executables",
                   "recommends", "selinux", "tmp-is-dir"})  # fmt: skip
CHOICES: Mapping[str, tuple[object, ...]] = {
    "advisories-metadata": ("inline", "detached", "disabled"),
    "basearch": ("x86_64",),
    "boot-location": ("modules", "new"),
    "cliwrap": (False,),
    "container": (True, False),
    "edition": ("2014", "2024"),
    "ignore-devices": (True,),
    "ima": (False,),
    "opt-usrlocal": ("var", "root", "state-overlay", "stateoverlay"),
    "repo-metadata": ("inline", "detached", "disabled"),
    "rpmdb": ("target", "sqlite", "bdb", "b-d-b", "ndb"),
    "rpmdb-normalize": (True, False),
    "selinux-label-version": (0, 1),
    "sysusers": ("compose-auto", "compose-forced"),
}
"""Keys with the values that are accepted."""
_CHOICE_REASONS = {
    "basearch": "one architecture is composed",
    "boot-location": "rpm-ostree has only kernel-install beside them, which a build does not run",
    "cliwrap": "a build puts no wrappers of rpm-ostree into a tree",
    "edition": "an edition is text, in quotes",
    "ignore-devices": "a build cannot make device files, as it runs in a user namespace",
    "ima": "signatures of IMA are not taken from packages into a commit",
    "rpmdb": "the database of a tree is in the format of its own rpm",
}
ARCHITECTURES = ("aarch64", "armhfp", "i386", "ppc64", "ppc64le", "riscv64", "s390x", "x86_64")
OLD_SPELLINGS = {
    "automatic_version_prefix": "automatic-version-prefix",
    "boot_location": "boot-location",
    "bootstrap_packages": "bootstrap-packages",
    "default_target": "default-target",
    "gpg_key": "gpg-key",
}
ACCEPTED = sorted({*TEXTS, *FLAGS, *LISTS, *CHOICES, *STRUCTURES, "include", "releasever"})
_OF_A_CLIENT = "it is for a system that is deployed; rpm-ostree refuses it in a compose, too"
REFUSED = {
    "modules": "rpm-ostree has no modules any more, and none is enabled here; name their packages, from a repository "
    "that has them outside of modules",
    "cliwrap-binaries": "a build puts no wrappers of rpm-ostree into a tree; leave it out",
    **dict.fromkeys(
        ("base-refspec", "container-image-reference", "packages-local", "packages-local-fileoverride",
         "override-remove", "ex-override-replace", "override-replace-local", "initramfs", "custom",
         "override-commit", "unconfigured-state"),
        _OF_A_CLIENT,
    ),
}  # fmt: skip
"""Keys of rpm-ostree that are refused, and why."""
_COMMAND = "container-cmd"
_WITHOUT_EFFECT = {
    "advisories-metadata": "a commit has no metadata of advisories",
    _COMMAND: "no container image is made of a commit; it is for a treefile with `container: true`",
    "etc-group-members": "all groups of the tree are in /etc/group",
    "gpg-key": "a commit is signed with the key in the file that the variant's signing_key names",
    "ignore-devices": "a build cannot make device files",
    "metadata": "it is for other programs that read the treefile",
    "platform-module": "no modules are enabled",
    "repo-metadata": "a commit has no metadata of repositories",
    "rojig": "a commit is not distributed as a package",
    "rpmdb": "the database of a tree is in the format of its own rpm, as with `target`",
    "rpmdb-normalize": "the database of a tree is the same in each build",
}
"""Keys that do not change a tree, whatever their value, and why."""
_CHECK_KEYS = frozenset({"type", "filename", "entries"})
_INNER_KEYS: Mapping[str, frozenset[str]] = {
    "check-groups": _CHECK_KEYS,
    "check-passwd": _CHECK_KEYS,
    "conditional-include": frozenset({"if", "include"}),
    "repo-packages": frozenset({"repo", "packages"}),
}
"""The keys in values of their own form; rpm-ostree ignores others there, in YAML, too."""
OF_A_BOOT = ("default-target", "initramfs-args", "no-initramfs", "units")
"""Keys that a container's treefile cannot have: nothing boots its image."""
LANGUAGE = re.compile(r"[A-Za-z0-9_.@*-]+")
"""A language of %_install_langs, which goes into a file of rpm macros: a ``%`` there could run a command."""


def wrong_value(name: str, value: object) -> str:
    """What is wrong with the value of an accepted key; empty if it is accepted."""
    if name == "include":
        accepted = _is_text(value) or (isinstance(value, list) and all(map(_is_text, value)))
        return "" if accepted else "must be a path or a list of paths"
    if name == "releasever":
        natural = type(value) is int and value >= 0
        return "" if natural or (_is_text(value) and not wrong_text(name, value)) else "must be text or a whole number"
    if name in CHOICES:
        return _wrong_choice(name, value)
    if name in FLAGS:
        return "" if isinstance(value, bool) else f"must be true or false, not {shown(value)}"
    if name in TEXTS:
        return wrong_text(name, value)
    if name in STRUCTURES:
        return wrong_structure(name, value)
    if name == "install-langs" and isinstance(value, list):
        for item in value:
            if isinstance(item, str) and item.strip() and item.isprintable() and not LANGUAGE.fullmatch(item):
                return f"{item!r} is not a language, such as en or en_US"
    return wrong_list(name, value)


def ignored_inside(name: str, value: Any) -> list[str]:
    """The keys inside of an accepted value that rpm-ostree ignores."""
    items = value if isinstance(value, list) else [value]
    return sorted({key for item in items for key in item} - _INNER_KEYS[name]) if name in _INNER_KEYS else []


def why_not(key: str) -> str:
    """Why a key that is not accepted is refused, from the colon on; empty if it is not known at all."""
    if key in REFUSED:
        return f": {REFUSED[key]}"
    architectures = [f"packages-{name}" for name in ARCHITECTURES]
    close = get_close_matches(key, [*ACCEPTED, *architectures], n=1, cutoff=0.85)
    return f": did you mean {close[0]!r}?" if close else ""


def notes(values: Mapping[str, object]) -> list[str]:
    """A sentence for each value that has no effect, or less than in rpm-ostree."""
    used = {_COMMAND} if values.get("container") else set()
    result = [f"{key} has no effect: {why}" for key, why in _WITHOUT_EFFECT.items() if key in values.keys() - used]
    if values.get("boot-location") == "new":
        result.append("boot-location: kernel and initramfs are only in /usr/lib/modules, as with `modules`")
    if values.get("container") and values.get("selinux"):
        result.append("selinux has no effect: the tree of a container is not labelled")
    if values.get("container") and values.get("tmp-is-dir") is False:
        result.append("tmp-is-dir has no effect: /tmp of a container's tree is a directory")
    checks = {key: _type_of(values.get(key)) for key in ("check-passwd", "check-groups")}
    for key, kind in checks.items():
        if kind in ("file", "data") and values.get("container"):
            result.append(f"{key} has no effect: the users and groups of a container's tree are those of its packages")
        if kind == "previous":
            result.append(f"{key} has no effect: a build has no previous commit, and nothing is checked then")
        ignored = f"ignore-removed-{'users' if key == 'check-passwd' else 'groups'}"
        if ignored in values and kind not in ("file", "data"):
            result.append(f"{ignored} has no effect: {key} is not of type file or data, so nothing is checked")
    if "preserve-passwd" in values and "file" not in checks.values():
        result.append("preserve-passwd has no effect: a build has no previous commit, and there is no file to copy")
    if "initramfs-args" in values and values.get("no-initramfs"):
        result.append("initramfs-args has no effect: no-initramfs is true")
    if "automatic-version-suffix" in values and "<date:" not in str(values.get("automatic-version-prefix")):
        result.append("automatic-version-suffix has no effect: a first version without a date ends in its prefix")
    return sorted(result)


def shown(value: object) -> str:
    """A value for a message, shortened."""
    text = repr(value) if not isinstance(value, list | dict) or len(value) < 10 else f"{type(value).__name__} of many"
    return text if len(text) <= 100 else f"{text[:100]}…"


def _type_of(check: object) -> object:
    return check.get("type") if isinstance(check, Mapping) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _wrong_choice(name: str, value: object) -> str:
    # 0 == False and 1 == True, so `in` alone would accept a number for a flag
    if any(value == item and type(value) is type(item) for item in CHOICES[name]):
        return ""
    accepted = " or ".join(json.dumps(item) for item in CHOICES[name])
    reason = f": {_CHOICE_REASONS[name]}" if name in _CHOICE_REASONS else ""
    return f"only {accepted} is supported{reason}"
