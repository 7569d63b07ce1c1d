"""Kickstart commands: a function for each command changes the recipe.

A function gets the recipe so far and the options of the line, by pykickstart's names. It
removes the options that it supports from the mapping, and returns the new recipe. The
caller reports the remaining options. As in Anaconda, an option that a later line gives replaces
that of an earlier line.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pykickstart import constants  # type: ignore[import-untyped]

from atomic_lib.recipe.kickstart.kickstart_accounts import (
    Options,
    RefusedError,
    group,
    noted,
    rootpw,
    single,
    sshkey,
    user,
)
from atomic_lib.recipe.kickstart.kickstart_ostree import ostreesetup
from atomic_lib.recipe.kickstart.kickstart_repositories import repo, url
from atomic_lib.recipe.kickstart.kickstart_storage import autopart, btrfs, logvol, part, raid
from atomic_lib.recipe.recipe import AddedFile, Recipe, unit_name


def services(recipe: Recipe, given: Options) -> Recipe:
    """Enable and disable units. As in Anaconda, a later list replaces an earlier one, and enabling wins."""
    for dest, ours in (("enabled", "enabled_units"), ("disabled", "disabled_units")):
        if dest not in given:
            continue
        units = [unit_name(name) for name in given.pop(dest)]
        wrong = [unit for unit in units if not re.fullmatch(r"[\w@:\\-][\w@:.\\-]*", unit, re.ASCII)]
        if wrong:
            raise RefusedError(f"{wrong[0]!r} is not a unit name")
        recipe = replace(recipe, **{ours: tuple(dict.fromkeys(units))})  # type: ignore[arg-type]
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


def timezone(recipe: Recipe, given: Options) -> Recipe:
    """Set the time zone, if one is named; the hardware clock of a guest runs in UTC."""
    zone = single(given.pop("timezone", None))
    if zone and not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", zone):
        raise RefusedError(f"{zone!r} is not a time zone, such as Etc/UTC")
    if not given.pop("isUtc", False):
        recipe = noted(recipe, "timezone without --utc: the hardware clock of a guest runs in UTC all the same")
    if given.pop("nontp", False):
        recipe = noted(recipe, "timezone --nontp: chronyd.service is disabled, if the tree has it")
    servers = [("server", name, ["iburst"]) for name in given.pop("ntpservers", None) or [] if name]
    recipe = _with_time_sources(replace(recipe, time_sources=()) if servers else recipe, servers)
    return replace(recipe, timezone=zone or recipe.timezone)


def timesource(recipe: Recipe, given: Options) -> Recipe:
    """Set the servers and pools of chrony; the caller implements ``--ntp-disable``."""
    if given.pop("ntp_disable", False):
        return noted(recipe, "timesource --ntp-disable: chronyd.service is disabled, if the tree has it")
    options = ["iburst", *(["nts"] if given.pop("nts", False) else [])]
    sources = {"server": given.pop("ntp_server", None), "pool": given.pop("ntp_pool", None)}
    return _with_time_sources(recipe, [(kind, name, options) for kind, name in sources.items() if name])


def _with_time_sources(recipe: Recipe, sources: Sequence[tuple[str, str, Sequence[str]]]) -> Recipe:
    for _, name, _ in sources:
        if not re.fullmatch(r"[A-Za-z0-9.:-]+", name):
            raise RefusedError(f"{name!r} is not the name or address of a time server")
    lines = (" ".join([kind, name, *options]) for kind, name, options in sources)
    return replace(recipe, time_sources=(*recipe.time_sources, *lines))


def lang(recipe: Recipe, given: Options) -> Recipe:
    """Set the locale of the image (LANG)."""
    locale = single(given.pop("lang", None))
    if not locale or not re.fullmatch(r"[A-Za-z0-9_.@-]+", locale):
        raise RefusedError(f"{locale!r} is not a locale, such as en_US.UTF-8")
    return replace(recipe, locale=locale)


def keyboard(recipe: Recipe, given: Options) -> Recipe:
    """Set the keymap of the console; one is not derived from ``--xlayouts``."""
    plain, keymap = single(given.pop("kbd", None)), given.pop("vc_keymap", None)
    name = keymap or plain
    if not name and "x_layouts" in given:
        return recipe
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
    given.pop("isCrypted", None)  # it only says what a password is
    if given.get("location") in ("partition", "boot"):
        del given["location"]
        recipe = noted(recipe, "bootloader --location: the boot loader for BIOS is in a partition of its own")
    return replace(recipe, kernel_arguments=" ".join(arguments.split()), boot_loader_timeout_seconds=timeout)


DEFAULT_FIREWALL = ("--enabled", "--service=ssh")
"""What Anaconda sets in a tree with firewalld if a kickstart does not say otherwise."""


_FIREWALL_LISTS = {"service": "services", "trust": "trusts", "port": "ports", "remove-service": "remove_services"}
"""pykickstart's names of the lists of ``firewall``, by their options."""


def firewall(recipe: Recipe, given: Options) -> Recipe:
    """Set firewalld's services and ports by its own program, as Anaconda does; the caller adds ssh."""
    mode = "--enabled" if given.pop("enabled", True) else "--disabled"
    if given.pop("use_system_defaults", False):
        given.clear()  # as in Anaconda
        recipe = replace(recipe, firewall=())
        return noted(recipe, "firewall --use-system-defaults: a firewalld in the tree keeps its configuration")
    words = [mode]
    for name, dest in _FIREWALL_LISTS.items():
        option = f"--{name}="
        earlier = [word.removeprefix(option) for word in recipe.firewall if word.startswith(option)]
        values = given.pop(dest, None) or earlier
        wrong = [value for value in values if not re.fullmatch(r"[\w.:/-]+", value)]
        if wrong:
            raise RefusedError(f"{wrong[0]!r} is not the name of a service, an interface or PORT:PROTOCOL")
        words += [option + value for value in values]
    note = f"firewall {mode} takes effect only if firewalld is in the tree: an image has no other firewall"
    return noted(replace(recipe, firewall=tuple(words)), note)


def with_ssh(words: Sequence[str]) -> tuple[str, ...]:
    """The options of a firewall with ssh open, as Anaconda does unless they name its service or port."""
    named = {"--service=ssh", "--remove-service=ssh", "--port=22:tcp"} & set(words)
    return (*words[:1], *([] if named or not words else ["--service=ssh"]), *words[1:])


def network(recipe: Recipe, given: Options) -> Recipe:
    """Accept DHCP on the only interface, which an image always uses, and set the host name."""
    if name := given.pop("hostname", None):
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", name):
            raise RefusedError(f"{name!r} is not the name of a host")
        file = AddedFile("etc/hostname", 0o100644, f"{name}\n".encode())
        recipe = replace(recipe, added_files=(*(one for one in recipe.added_files if one.path != file.path), file))
        if not given:
            return recipe
    if given.get("onboot") is True or given.get("bootProto", "dhcp") == "dhcp":
        given.pop("onboot", None)
    if given.get("bootProto") == "dhcp":
        del given["bootProto"]
    for dest in [dest for dest in ("activate", "device", "ipv6", "noipv6") if dest in given]:
        if dest != "ipv6" or given[dest] == "auto":
            del given[dest]
    what = "network: only --hostname has an effect" if name else "network has no effect"
    return recipe if given else noted(recipe, f"{what}: an image always uses DHCP on its only interface")


def xconfig(recipe: Recipe, given: Options) -> Recipe:
    """Start the graphical target, with ``--startxonboot`` in the last line."""
    if given.pop("startX", False):
        return replace(recipe, default_target="graphical.target")
    recipe = replace(recipe, default_target=Recipe.default_target)
    return recipe if given else noted(recipe, "xconfig has no effect: it describes no more than a display")


def skipx(recipe: Recipe, given: Options) -> Recipe:
    """Start multi-user.target, whatever ``xconfig`` says; the caller implements it."""
    return noted(recipe, "skipx: the tree starts multi-user.target, even if xconfig --startxonboot asks for another")


def firstboot(recipe: Recipe, given: Options) -> Recipe:
    """Accept all forms; the caller implements ``--disable``."""
    if given.pop("firstboot", None) == constants.FIRSTBOOT_SKIP:
        return noted(recipe, "firstboot --disable: initial-setup.service is disabled, if the tree has it")
    return noted(recipe, "firstboot has no effect: initial-setup starts if services --enabled= or its package says so")


COMMANDS: Mapping[str, Callable[[Recipe, Options], Recipe]] = {
    "autopart": autopart, "bootloader": bootloader, "btrfs": btrfs, "firewall": firewall, "firstboot": firstboot,
    "group": group, "keyboard": keyboard, "lang": lang, "logvol": logvol, "network": network,
    "ostreesetup": ostreesetup, "part": part, "partition": part, "raid": raid, "repo": repo, "rootpw": rootpw,
    "selinux": selinux, "services": services, "skipx": skipx, "sshkey": sshkey, "timesource": timesource,
    "timezone": timezone, "url": url, "user": user, "xconfig": xconfig,
}  # fmt: skip
"""The commands that change the recipe."""


def absent_services(handler: Any) -> list[str]:
    """The units that Anaconda disables on behalf of other commands than ``services``."""
    commands = handler.commands
    sources = getattr(commands.get("timesource"), "timesource_list", [])
    no_ntp = getattr(commands.get("timezone"), "nontp", False) or any(source.ntp_disable for source in sources)
    no_setup = getattr(commands.get("firstboot"), "firstboot", None) == constants.FIRSTBOOT_SKIP
    return [*(["chronyd.service"] if no_ntp else []), *(["initial-setup.service"] if no_setup else [])]
