"""What each kickstart command means for an image: one small function per command.

A function takes the recipe so far and the options that the line gives (by pykickstart's
names for them), takes out those that it honours, and returns the new recipe. Whatever
it leaves is refused with the option's name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pykickstart import constants  # type: ignore[import-untyped]

from atomic_lib.recipe.recipe import Recipe

Given = dict[str, Any]


class RefusedError(Exception):
    """A command says something that an image built here would not do."""


def services(recipe: Recipe, given: Given) -> Recipe:
    """Units by the last line that names them; unlike Anaconda, a later line adds to the earlier ones."""
    for dest, ours, other in (
        ("enabled", "enabled_units", "disabled_units"),
        ("disabled", "disabled_units", "enabled_units"),
    ):
        units = [name if "." in name else f"{name}.service" for name in given.pop(dest, ())]
        wrong = [unit for unit in units if not re.fullmatch(r"[\w@:\\-][\w@:.\\-]*", unit, re.ASCII)]
        if wrong:
            raise RefusedError(f"{wrong[0]!r} is no unit name")
        merged = tuple(dict.fromkeys([*getattr(recipe, ours), *units]))
        rest = tuple(unit for unit in getattr(recipe, other) if unit not in units)
        recipe = replace(recipe, **{ours: merged, other: rest})  # type: ignore[arg-type]
    return recipe


def selinux(recipe: Recipe, given: Given) -> Recipe:
    """The mode that the image boots in."""
    mode = given.pop("selinux", None)
    if mode == constants.SELINUX_ENFORCING:
        return replace(recipe, selinux="enforcing")
    if mode == constants.SELINUX_PERMISSIVE:
        return replace(recipe, selinux="permissive")
    if mode == constants.SELINUX_DISABLED:
        return replace(recipe, selinux="disabled")
    raise RefusedError("needs --enforcing, --permissive or --disabled")


def rootpw(recipe: Recipe, given: Given) -> Recipe:
    """A locked root account. ``--iscrypted locked``, which no password matches, is how cloud kickstarts say it."""
    password, locked = given.pop("password", None), given.pop("lock", False)
    crypted = given.pop("isCrypted", False)
    if password and not (locked and crypted and password in ("locked", "*", "!", "!!")):
        raise RefusedError("an image holds no password; say rootpw --lock, keys come from the metadata service")
    if not locked:
        raise RefusedError("needs --lock: an image holds no password")
    return replace(recipe, root_locked=True)


def timezone(recipe: Recipe, given: Given) -> Recipe:
    """The time zone of the image; the guest's hardware clock runs in UTC, so ``--utc`` is required."""
    zone = _single(given.pop("timezone", None))
    if not given.pop("isUtc", False):
        raise RefusedError("needs --utc: the hardware clock of a guest runs in UTC")
    if not zone or not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", zone):
        raise RefusedError(f"{zone!r} is no time zone, such as Etc/UTC")
    return replace(recipe, timezone=zone)


def lang(recipe: Recipe, given: Given) -> Recipe:
    """The locale of the image (LANG)."""
    locale = _single(given.pop("lang", None))
    if not locale or not re.fullmatch(r"[A-Za-z0-9_.@-]+", locale):
        raise RefusedError(f"{locale!r} is no locale, such as en_US.UTF-8")
    return replace(recipe, locale=locale)


def keyboard(recipe: Recipe, given: Given) -> Recipe:
    """The console's keymap."""
    plain, keymap = _single(given.pop("kbd", None)), given.pop("vc_keymap", None)
    name = keymap or plain
    if not name or not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise RefusedError("needs the name of a console keymap, such as us")
    return replace(recipe, keyboard=name)


def bootloader(recipe: Recipe, given: Given) -> Recipe:
    """Kernel arguments and the menu's time limit; each stays as an earlier line said it where this one does not."""
    timeout = given.pop("timeout", recipe.boot_loader_timeout_seconds)
    arguments = given.pop("appendLine", recipe.kernel_arguments or "")
    if not 0 <= timeout <= 3600:
        raise RefusedError(f"--timeout={timeout}: must be 0 to 3600 seconds")
    if "\n" in arguments:
        raise RefusedError("--append must be one line")
    return replace(recipe, kernel_arguments=" ".join(arguments.split()), boot_loader_timeout_seconds=timeout)


def part(recipe: Recipe, given: Given) -> Recipe:
    """The root file system: ext4, its size in MiB, nothing beside it."""
    mount_point = _single(given.pop("mntpoint", None))
    if mount_point != "/":
        raise RefusedError(f"{mount_point}: an image has one file system, /")
    if recipe.root_size_mib is not None:
        raise RefusedError("/ is defined by an earlier line already")
    fstype, size_mib = given.pop("fstype", "ext4") or "ext4", given.pop("size", None)
    if fstype != "ext4":
        raise RefusedError(f"--fstype={fstype}: the file system of an image is ext4")
    if not size_mib:
        raise RefusedError("/ needs --size=MIB")
    if given.pop("grow", False):
        recipe = _noted(recipe, "part / --grow: no effect, the size of the image is --size")
    return replace(recipe, root_size_mib=size_mib)


def skipx(recipe: Recipe, _given: Given) -> Recipe:
    """No graphical display: nothing to do."""
    return _noted(recipe, "skipx: no effect, no graphical display is set up anyway")


def firewall(recipe: Recipe, given: Given) -> Recipe:
    """``--disabled`` only: no firewall is set up."""
    if given.pop("enabled", True):
        raise RefusedError("only --disabled is supported: no firewall is set up in an image")
    return _noted(recipe, "firewall --disabled: no effect, no firewall is set up anyway")


def network(recipe: Recipe, given: Given) -> Recipe:
    """DHCP on the one interface, from boot on: what an image does anyway."""
    accepted = {"bootProto": "dhcp", "device": "link", "activate": True, "onboot": True}
    for dest in [dest for dest, value in accepted.items() if given.get(dest) == value]:
        del given[dest]
    return recipe if given else _noted(recipe, "network: no effect, an image uses DHCP from boot on anyway")


def repo(recipe: Recipe, given: Given) -> Recipe:
    """A repository by its name; where it is stands in a yum repository file."""
    name = given.pop("name", None)
    if not name:
        raise RefusedError("needs --name=REPOSITORY")
    return replace(recipe, repos=tuple(dict.fromkeys([*recipe.repos, name])))


def firstboot(recipe: Recipe, given: Given) -> Recipe:
    """``--disable`` only: no set-up dialogue at the first boot."""
    if given.pop("firstboot", None) != constants.FIRSTBOOT_SKIP:
        raise RefusedError("only --disable is supported: an image asks nothing at its first boot")
    return _noted(recipe, "firstboot --disable: no effect, an image asks nothing at its first boot anyway")


def _noted(recipe: Recipe, note: str) -> Recipe:
    return replace(recipe, notes=(*recipe.notes, note))


def _single(value: Any) -> str | None:
    return value[0] if isinstance(value, list) and value else value or None


COMMANDS: Mapping[str, Callable[[Recipe, Given], Recipe]] = {
    "bootloader": bootloader, "firewall": firewall, "firstboot": firstboot, "keyboard": keyboard, "lang": lang,
    "network": network, "part": part, "partition": part, "repo": repo, "rootpw": rootpw, "selinux": selinux,
    "services": services, "skipx": skipx, "timezone": timezone,
}  # fmt: skip
INSTALLER_COMMANDS = frozenset(
    ("autostep", "clearpart", "cmdline", "driverdisk", "eula", "graphical", "halt", "ignoredisk", "install", "logging",
     "mediacheck", "poweroff", "reboot", "rescue", "shutdown", "text", "updates", "vnc", "zerombr")
)  # fmt: skip
"""Commands that steer the installer alone: accepted, with a note that they have no effect."""

COMMAND_REASONS: Mapping[str, str] = {
    "auth": "passwords are not used in an image",
    "authconfig": "passwords are not used in an image",
    "authselect": "passwords are not used in an image",
    "autopart": "say part / --size=MIB --fstype=ext4",
    "cdrom": "packages come from the variant's content",
    "group": "make groups by a package or in %post",
    "harddrive": "packages come from the variant's content",
    "logvol": "say part / --size=MIB --fstype=ext4",
    "nfs": "packages come from the variant's content",
    "ostreecontainer": "an ostree tree is composed from a treefile",
    "ostreesetup": "an ostree tree is composed from a treefile",
    "sshkey": "keys come from the metadata service",
    "url": "packages come from the variant's content",
    "user": "users come from packages and from the metadata service",
    "volgroup": "say part / --size=MIB --fstype=ext4",
}
OPTION_REASONS: Mapping[tuple[str, str], str] = {
    ("%packages", "ignoremissing"): "a missing package is an error",
    ("%post", "log"): "what the script writes is kept in the log of the build",
    ("%post", "nochroot"): "a script sees the tree of the image only",
    ("bootloader", "disabled"): "an image always has a boot loader",
    ("bootloader", "extlinux"): "the boot loader of an image is GRUB",
    ("bootloader", "location"): "an image always has a boot loader, for BIOS and for UEFI",
    ("bootloader", "password"): "an image holds no password",
    ("bootloader", "sdboot"): "the boot loader of an image is GRUB",
    ("network", "bootProto"): "an image uses DHCP",
    ("network", "device"): "an image has one interface; only --device=link names it",
    ("network", "hostname"): "the host name comes from the metadata service",
    ("repo", "baseurl"): "its address stands in params/repos",
    ("repo", "metalink"): "its address stands in params/repos",
    ("repo", "mirrorlist"): "its address stands in params/repos",
    ("rootpw", "allow_ssh"): "an image holds no password",
    ("timezone", "nontp"): "say services --disabled= with the name of the time service",
}
