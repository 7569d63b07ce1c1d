"""The boot loader's menu as ostree writes it, and the deployment that an entry leads to.

Sources of the formats: ostree's syslinux backend (ostree-bootloader-syslinux.c), GRUB's syslinux_parse.c, and the Boot
Loader Specification, type 1 entries.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from atomic_lib.formats.disk_states.file_view import FileView

MENU = "/boot/loader/syslinux.cfg"
ENTRIES = "/boot/loader/entries"
_DEPLOYMENT = re.compile(r"/ostree/deploy/[^/]+/deploy/([0-9a-f]{64})\.\d+")
_ARGUMENT = "ostree="


@dataclass(frozen=True)
class MenuEntry:
    """What is started: the paths of kernel and initramfs, and the path that the argument ``ostree=`` names."""

    title: str
    kernel: str
    initramfs: str
    deployment: str


def menu_entries(text: str) -> list[MenuEntry]:
    """The entries of a syslinux.cfg, the default one first; those without kernel, initramfs or deployment are left out.

    DEFAULT names a label; GRUB takes the first one if there is no such label.
    """
    default, blocks = "", list[dict[str, str]]()
    for line in text.splitlines():
        word, _, value = line.strip().partition(" ")
        name, value = word.upper(), value.strip()
        if name == "DEFAULT":
            default = value
        elif name == "LABEL":
            blocks.append({name: value})
        elif blocks and value:
            blocks[-1].setdefault(name, value)
    found = [_entry(one["LABEL"], one, "KERNEL", "INITRD", "APPEND") for one in blocks]
    entries = [one for one in found if one]
    return sorted(entries, key=lambda entry: entry.title != default)


def bls_entry(text: str) -> MenuEntry | None:
    """A file of /boot/loader/entries; None without kernel, initramfs or deployment."""
    pairs = (line.strip().partition(" ")[::2] for line in text.splitlines())
    facts = {name: value.strip() for name, value in pairs}
    return _entry(facts.get("title", ""), facts, "linux", "initrd", "options")


def commit_of(path: str | None) -> str | None:
    """The commit that a directory in /ostree/deploy is a deployment of; None if it is none."""
    found = _DEPLOYMENT.fullmatch(path or "")
    return found[1] if found else None


def deployed_commits(view: FileView) -> tuple[dict[str, MenuEntry], list[str]]:
    """The entries of /boot/loader/entries by the commit that each leads to, and what is wrong with the others."""
    found, problems = dict[str, MenuEntry](), list[str]()
    for name, inode in sorted(view.listing(ENTRIES).items()):
        entry = bls_entry(view.content(inode).decode(errors="replace"))
        commit = commit_of(view.real_path(entry.deployment)) if entry else None
        if entry is None or commit is None:
            problems.append(f"{ENTRIES}/{name}: {'no deployment' if entry else 'incomplete'}")
        else:
            found[commit] = entry
    if not found and not problems:
        problems.append(f"{ENTRIES}: no entry")
    return found, problems


def _entry(title: str, facts: Mapping[str, str], kernel: str, initramfs: str, arguments: str) -> MenuEntry | None:
    words = facts.get(arguments, "").split()
    deployment = next((word.removeprefix(_ARGUMENT) for word in words if word.startswith(_ARGUMENT)), "")
    found = MenuEntry(title, facts.get(kernel, ""), facts.get(initramfs, ""), deployment)
    return found if found.kernel and found.initramfs and found.deployment else None
