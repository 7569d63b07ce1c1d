"""Kickstart commands: a function for each command changes the recipe.

A function gets the recipe so far and the options of the line, by pykickstart's names. It
removes the options that it supports from the mapping, and returns the new recipe. The
caller reports the remaining options as errors.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pykickstart import constants  # type: ignore[import-untyped]

from atomic_lib.recipe.recipe import Recipe

Options = dict[str, Any]
"""The options of a line that differ from the defaults. pykickstart is untyped, and so are their values."""


class RefusedError(Exception):
    """A command asks for something that an image cannot have; the message says what is accepted."""


def services(recipe: Recipe, given: Options) -> Recipe:
    """Enable and disable units. The last line that names a unit wins; unlike in Anaconda, lines add up."""
    for dest, ours, other in (
        ("enabled", "enabled_units", "disabled_units"),
        ("disabled", "disabled_units", "enabled_units"),
    ):
        units = [name if "." in name else f"{name}.service" for name in given.pop(dest, ())]
        wrong = [unit for unit in units if not re.fullmatch(r"[\w@:\\-][\w@:.\\-]*", unit, re.ASCII)]
        if wrong:
            raise RefusedError(f"{wrong[0]!r} is not a unit name")
        merged = tuple(dict.fromkeys([*getattr(recipe, ours), *units]))
        rest = tuple(unit for unit in getattr(recipe, other) if unit not in units)
        recipe = replace(recipe, **{ours: merged, other: rest})  # type: ignore[arg-type]
    return recipe


def selinux(recipe: Recipe, given: Options) -> Recipe:
    """Set the SELinux mode of the image."""
    mode = given.pop("selinux", None)
    if mode == constants.SELINUX_ENFORCING:
        return replace(recipe, selinux="enforcing")
    if mode == constants.SELINUX_PERMISSIVE:
        return replace(recipe, selinux="permissive")
    if mode == constants.SELINUX_DISABLED:
        return replace(recipe, selinux="disabled")
    raise RefusedError("needs --enforcing, --permissive or --disabled")


def rootpw(recipe: Recipe, given: Options) -> Recipe:
    """Lock the root account. Cloud kickstarts use ``--iscrypted locked``, a hash that no password has."""
    password, locked = given.pop("password", None), given.pop("lock", False)
    crypted = given.pop("isCrypted", False)
    if password and not (locked and crypted and password in ("locked", "*", "!", "!!")):
        raise RefusedError("an image must not have a password: use rootpw --lock, keys come from the metadata service")
    if not locked:
        raise RefusedError("needs --lock: an image must not have a password")
    return replace(recipe, root_locked=True)


def timezone(recipe: Recipe, given: Options) -> Recipe:
    """Set the time zone. The hardware clock of a guest runs in UTC, so ``--utc`` is required."""
    zone = _single(given.pop("timezone", None))
    if not given.pop("isUtc", False):
        raise RefusedError("needs --utc: the hardware clock of a guest runs in UTC")
    if not zone or not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", zone):
        raise RefusedError(f"{zone!r} is not a time zone, such as Etc/UTC")
    return replace(recipe, timezone=zone)


def lang(recipe: Recipe, given: Options) -> Recipe:
    """Set the locale of the image (LANG)."""
    locale = _single(given.pop("lang", None))
    if not locale or not re.fullmatch(r"[A-Za-z0-9_.@-]+", locale):
        raise RefusedError(f"{locale!r} is not a locale, such as en_US.UTF-8")
    return replace(recipe, locale=locale)


def keyboard(recipe: Recipe, given: Options) -> Recipe:
    """Set the keymap of the console."""
    plain, keymap = _single(given.pop("kbd", None)), given.pop("vc_keymap", None)
    name = keymap or plain
    if not name or not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise RefusedError("needs the name of a console keymap, such as us")
    return replace(recipe, keyboard=name)


def bootloader(recipe: Recipe, given: Options) -> Recipe:
    """Set the kernel arguments and the time limit of the menu; a missing option keeps the value of an earlier line."""
    timeout = given.pop("timeout", recipe.boot_loader_timeout_seconds)
    arguments = given.pop("appendLine", recipe.kernel_arguments or "")
    if not 0 <= timeout <= 3600:
        raise RefusedError(f"--timeout={timeout}: must be 0 to 3600 seconds")
    if "\n" in arguments:
        raise RefusedError("--append must be one line")
    return replace(recipe, kernel_arguments=" ".join(arguments.split()), boot_loader_timeout_seconds=timeout)


def part(recipe: Recipe, given: Options) -> Recipe:
    """Set the size of the root file system, which is ext4 and the only file system."""
    mount_point = _single(given.pop("mntpoint", None))
    if mount_point != "/":
        raise RefusedError(f"{mount_point}: an image has one file system, /")
    if recipe.root_size_mib is not None:
        raise RefusedError("an earlier line already defines /")
    fstype, size_mib = given.pop("fstype", "ext4") or "ext4", given.pop("size", None)
    if fstype != "ext4":
        raise RefusedError(f"--fstype={fstype}: the file system of an image is ext4")
    if not size_mib:
        raise RefusedError("/ needs --size=MIB")
    if given.pop("grow", False):
        recipe = _noted(recipe, "part / --grow has no effect: --size sets the size of the root file system")
    return replace(recipe, root_size_mib=size_mib)


def skipx(recipe: Recipe, _given: Options) -> Recipe:
    """Accept that there is no graphical display; an image never has one."""
    return _noted(recipe, "skipx has no effect: an image has no graphical display")


def firewall(recipe: Recipe, given: Options) -> Recipe:
    """Accept ``--disabled``; an image never has a firewall."""
    if given.pop("enabled", True):
        raise RefusedError("only --disabled is supported: an image has no firewall")
    return _noted(recipe, "firewall --disabled has no effect: an image has no firewall")


def network(recipe: Recipe, given: Options) -> Recipe:
    """Accept DHCP on the only interface, which an image always uses."""
    accepted = {"bootProto": "dhcp", "device": "link", "activate": True, "onboot": True}
    for dest in [dest for dest, value in accepted.items() if given.get(dest) == value]:
        del given[dest]
    return recipe if given else _noted(recipe, "network has no effect: an image always uses DHCP")


def repo(recipe: Recipe, given: Options) -> Recipe:
    """Enable a repository by name; its address is in a yum repository file."""
    name = given.pop("name", None)
    if not name:
        raise RefusedError("needs --name=REPOSITORY")
    return replace(recipe, repos=tuple(dict.fromkeys([*recipe.repos, name])))


def firstboot(recipe: Recipe, given: Options) -> Recipe:
    """Accept ``--disable``; an image never has a set-up dialogue."""
    if given.pop("firstboot", None) != constants.FIRSTBOOT_SKIP:
        raise RefusedError("only --disable is supported: an image has no set-up dialogue")
    return _noted(recipe, "firstboot --disable has no effect: an image has no set-up dialogue")


def _noted(recipe: Recipe, note: str) -> Recipe:
    return replace(recipe, notes=(*recipe.notes, note))


def _single(value: Any) -> str | None:
    return value[0] if isinstance(value, list) and value else value or None


COMMANDS: Mapping[str, Callable[[Recipe, Options], Recipe]] = {
    "bootloader": bootloader, "firewall": firewall, "firstboot": firstboot, "keyboard": keyboard, "lang": lang,
    "network": network, "part": part, "partition": part, "repo": repo, "rootpw": rootpw, "selinux": selinux,
    "services": services, "skipx": skipx, "timezone": timezone,
}  # fmt: skip
INSTALLER_COMMANDS = frozenset(
    ("autostep", "clearpart", "cmdline", "driverdisk", "eula", "graphical", "halt", "ignoredisk", "install", "logging",
     "mediacheck", "poweroff", "reboot", "rescue", "shutdown", "text", "updates", "vnc", "zerombr")
)  # fmt: skip
"""Commands that only control the installer: accepted, with a note that they have no effect."""

COMMAND_REASONS: Mapping[str, str] = {
    "auth": "an image must not have a password",
    "authconfig": "an image must not have a password",
    "authselect": "an image must not have a password",
    "autopart": "use part / --size=MIB --fstype=ext4",
    "cdrom": "packages come from the variant's content",
    "group": "create groups in a package or in %post",
    "harddrive": "packages come from the variant's content",
    "logvol": "use part / --size=MIB --fstype=ext4",
    "nfs": "packages come from the variant's content",
    "ostreecontainer": "an ostree tree is composed from a treefile",
    "ostreesetup": "an ostree tree is composed from a treefile",
    "sshkey": "keys come from the metadata service",
    "url": "packages come from the variant's content",
    "user": "users come from packages and from the metadata service",
    "volgroup": "use part / --size=MIB --fstype=ext4",
}
OPTION_REASONS: Mapping[tuple[str, str], str] = {
    ("%packages", "ignoremissing"): "a missing package is an error",
    ("%post", "log"): "the log of the build contains the output of the script",
    ("%post", "nochroot"): "a script always runs in the tree of the image",
    ("bootloader", "disabled"): "an image always has a boot loader",
    ("bootloader", "extlinux"): "the boot loader of an image is GRUB",
    ("bootloader", "location"): "an image always has a boot loader, for BIOS and for UEFI",
    ("bootloader", "password"): "an image must not have a password",
    ("bootloader", "sdboot"): "the boot loader of an image is GRUB",
    ("network", "bootProto"): "an image uses DHCP",
    ("network", "device"): "an image has one interface; only --device=link names it",
    ("network", "hostname"): "the host name comes from the metadata service",
    ("repo", "baseurl"): "write its address into a file in params/repos",
    ("repo", "metalink"): "write its address into a file in params/repos",
    ("repo", "mirrorlist"): "write its address into a file in params/repos",
    ("rootpw", "allow_ssh"): "an image must not have a password",
    ("timezone", "nontp"): "use services --disabled= with the name of the time service",
}
