"""Fills an installroot: installs the packages, then configures it as the recipe says."""

import re
import stat
from collections.abc import Iterable, Set
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say, step
from atomic_lib.base.scrub import without_copies
from atomic_lib.compose.chroot import RPMDB, Installroot
from atomic_lib.compose.initramfs import install_initramfs, place_kernels
from atomic_lib.compose.install import Installation, install
from atomic_lib.compose.packaged_attributes import ChangedFile
from atomic_lib.compose.settings.accounts import check_accounts
from atomic_lib.compose.settings.kickstart_settings import apply_kickstart_settings, run_outside
from atomic_lib.compose.settings.recipe_files import change_files, change_packaged_files
from atomic_lib.compose.tree_access.links import links_of
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.content.repositories import Content
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.recipe.origins import place_of
from atomic_lib.recipe.recipe import DEFAULT_TARGET, PostScript, Recipe
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context

_UTC = "Etc/UTC"
_USR_ETC = "usr/etc"
_DNF_STATE = "var/lib/dnf"
_UNITS = "etc/systemd/system"
_UNIT_FILES = (_UNITS, "usr/lib/systemd/system")
_ONE_FILE = "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE; VACUUM;"


def make_installroot(
    tree: Installroot,
    recipe: Recipe,
    content: Content,
    rpm_set: RpmSet,
    context: Context,
    *,
    name: str,
    version: str,
    log: Path,
) -> list[ChangedFile]:
    """Fill ``tree``: install packages, configure, run the recipe's scripts, install the initramfs, clean up.

    Files are removed and added before the scripts, as in rpm-ostree. ``version`` is the tree's.
    The store keeps what trees share: the recipe's layer and the initramfs. Returns what ``install`` does.

    Raises WorkbookError if dnf or a scriptlet fails, the result does not match the lock, a
    script of the recipe fails (with its file and line), a unit does not exist, or a user or group is not as the
    recipe names it. The root of a container gets no kernel, no initramfs, no units and no locale.
    """
    headers = read_headers(tree.tools, rpm_set.directory)
    changed = install(tree, Installation(recipe, content, rpm_set, headers), context, name=name, log=log)
    with step(f"{name}: configure the tree"):
        change_packaged_files(tree, recipe, headers)
        if recipe.run_sysusers:
            _run_sysusers(tree, recipe, log)
        apply_settings(tree, recipe, version=version, log=log)
        if recipe.account_rules is not None:
            check_accounts(tree, recipe.account_rules, str(recipe.files[0]))
    if not recipe.container:
        place_kernels(tree.files)
    if recipe.initramfs and not recipe.container:
        install_initramfs(tree, recipe, rpm_set, context, headers=headers, name=name, log=log)
    _clean(tree, (path for header in headers.values() for path in header.files))
    _set_machine_id(tree, recipe)
    settle_databases(tree)
    return changed


def apply_settings(tree: Installroot, recipe: Recipe, *, version: str, log: Path) -> None:
    """Configure the tree, or the deployment of a commit, and run the recipe's scripts in it.

    Raises WorkbookError as ``make_installroot`` does.
    """
    if not recipe.container:
        _configure(tree, recipe)
        _set_units(tree, recipe)
    change_files(tree, recipe, version)
    apply_kickstart_settings(tree, recipe)
    _run_scripts(tree, recipe, log)


def _run_sysusers(tree: Installroot, recipe: Recipe, log: Path) -> None:
    try:
        tree.chroot(["systemd-sysusers"], log=log)
    except command.CommandError as error:
        raise WorkbookError(
            f"{recipe.files[0]}: sysusers: systemd-sysusers failed: {error.message}",
            log=error.log,
            hint="add the package that has it, or correct the file of sysusers.d that the log names",
        ) from None


def _configure(tree: Installroot, recipe: Recipe) -> None:
    _set_selinux(tree, recipe)
    absent = [setting.value for setting in _absent_settings(tree.files, recipe)]
    if recipe.optional_settings:  # the defaults take their places
        locale, keyboard, timezone = (
            None if value in absent else value for value in (recipe.locale, recipe.keyboard, recipe.timezone)
        )
        recipe = replace(recipe, locale=locale, keyboard=keyboard, timezone=timezone)
    if recipe.root_locked:
        tree.write("etc/shadow", _with_root_locked(tree.read("etc/shadow") or ""), mode=0o640)
    for setting in _localization(recipe):
        if setting.value and setting.value in absent:
            others = tree.files.entries(setting.beside) if setting.beside else []
            known = f": the tree has {', '.join(path.rpartition('/')[2] for path in others)}" if others else ""
            if recipe.ostree_source:  # nobody can add a package to a commit
                place = without_copies(place_of(setting.value, recipe))
                say(f"! {place}: {setting.value!r} is not set: the commit has no /{setting.data[0]}")
                continue
            raise WorkbookError(
                f"{place_of(setting.value, recipe)}: {setting.value!r} is not in the tree: there is no "
                f"/{setting.data[0]}",
                hint=f"add the package that has it to the recipe, or name another one{known}",
            )
        if setting.file and setting.value:
            tree.write(setting.file, setting.text)
    if recipe.timezone or not recipe.ostree_source:
        tree.files.remove("etc/localtime")
        tree.files.add_link("etc/localtime", f"../usr/share/zoneinfo/{recipe.timezone or _UTC}")


def _absent_settings(files: TreeFiles, recipe: Recipe) -> list["_Setting"]:
    """The settings that need a file of which the tree has none."""
    settings = _localization(recipe)
    return [one for one in settings if one.value and not any(files.status(path) for path in one.data)]


def left_out(files: TreeFiles, recipe: Recipe) -> list[str]:
    """A sentence for each unit and setting that is left out because the tree lacks it; none if it must be there."""
    if not recipe.optional_settings:
        return []
    settings = _absent_settings(files, recipe)
    return [
        *(f"{one.value} is not set: the tree has no /{one.data[0]}" for one in settings),
        *(f"{unit} is not enabled: the tree does not have it" for unit in _absent_units(files, recipe)),
    ]


class _Setting(NamedTuple):
    """A setting with its value, any of the paths (``data``) that it requires, and its file, if it has one.

    ``beside``: the directory in which others are.
    """

    value: str | None
    data: list[str]
    file: str = ""
    text: str = ""
    beside: str = ""


def _localization(recipe: Recipe) -> list[_Setting]:
    """Locale, keymap and time zone; a commit keeps its own locale if the recipe names none."""
    locale = recipe.locale or ("" if recipe.ostree_source else "C.UTF-8")
    name, _, encoding = locale.partition(".")
    compiled = f"{name}.{encoding.lower().replace('-', '')}" if encoding else name
    locales = [f"usr/lib/locale/{compiled}", f"usr/lib/locale/{locale}", "usr/lib/locale/locale-archive"]
    keymaps = ["usr/share/keymaps", "usr/lib/kbd/keymaps"]
    return [
        _Setting(locale, locales, "etc/locale.conf", f"LANG={locale}\n", "usr/lib/locale"),
        _Setting(recipe.keyboard, keymaps, "etc/vconsole.conf", f"KEYMAP={recipe.keyboard}\n"),
        _Setting(recipe.timezone, [f"usr/share/zoneinfo/{recipe.timezone}"]),
    ]


def _set_selinux(tree: Installroot, recipe: Recipe) -> None:
    config = tree.read("etc/selinux/config")
    if config is None:
        if recipe.selinux == "disabled":
            return
        raise WorkbookError(
            f"{recipe.files[0]}: SELinux is {recipe.selinux}, but no policy is in the tree (/etc/selinux/config)",
            hint="add the policy package, or use `selinux --disabled` (kickstart) or `selinux: false` (treefile)",
        )
    lines = config.removesuffix("\n").split("\n")
    lines = [f"SELINUX={recipe.selinux}" if line.startswith("SELINUX=") else line for line in lines]
    tree.write("etc/selinux/config", "\n".join(lines) + "\n")


def _with_root_locked(shadow: str) -> str:
    """/etc/shadow with root's password locked, as by ``passwd -l``; root can still log in with an ssh key."""
    lines = shadow.removesuffix("\n").split("\n")
    locked = [f"root:!{line.removeprefix('root:').lstrip('!')}" if line.startswith("root:") else line for line in lines]
    return "\n".join(locked) + "\n"


def _absent_units(files: TreeFiles, recipe: Recipe) -> list[str]:
    """The units that the recipe enables, but that are not there; none if they all must be."""
    if not recipe.optional_settings:
        return []
    units = dict.fromkeys((*recipe.enabled_units, *recipe.wanted_units))
    return [unit for unit in units if not any(files.matching(f"{path}/{_template(unit)}") for path in _UNIT_FILES)]


def _template(unit: str) -> str:
    """The name of the file of a unit, which may be an instance: ``getty@.service`` of ``getty@tty1.service``."""
    return re.sub(r"@[^@]+(\.[a-z]+)$", r"@\1", unit)


def _set_units(tree: Installroot, recipe: Recipe) -> None:
    absent = _absent_units(tree.files, recipe)
    for unit in recipe.disabled_units:
        try:
            tree.chroot(["systemctl", "disable", "--", unit])
        except command.CommandError:  # as in Anaconda: a unit that does not exist is disabled
            say(f"! {without_copies(str(recipe.files[0]))}: {unit} is not in the tree, so there is nothing to disable")
    for verb, named in _unit_changes(recipe):
        units = [_linked_unit(tree.files, unit) for unit in named if unit not in absent]
        try:
            if units:
                tree.chroot(["systemctl", verb, "--", *units])
        except command.CommandError as error:
            if recipe.ostree_source:
                say(f"! {without_copies(str(recipe.files[0]))}: {verb} {units[0]}: not done: it is not in the commit")
                continue
            raise WorkbookError(
                f"{recipe.files[0]}: units: cannot {verb} {' '.join(units)}",
                log=error.log,
                hint="correct the unit's name, or add the package that has it",
            ) from None
    for unit in (unit for unit in recipe.wanted_units if unit not in absent):
        want_unit(tree.files, unit)


def _linked_unit(files: TreeFiles, unit: str) -> str:
    """The unit that a name stands for: systemctl enables no other name of a unit."""
    path = f"usr/lib/systemd/system/{unit}"
    status = files.status(path)
    if not status or not stat.S_ISLNK(status.st_mode):
        return unit
    target = files.target_of(path).rpartition("/")[2]
    return target if target.rpartition(".")[2] == unit.rpartition(".")[2] else unit


def _unit_changes(recipe: Recipe) -> list[tuple[str, tuple[str, ...]]]:
    """The verbs of systemctl with their units; a commit keeps its own default target if the recipe names no other."""
    if recipe.ostree_source is None:
        return [("set-default", (recipe.default_target,)), ("enable", recipe.enabled_units)]
    target = [("set-default", (recipe.default_target,))] if recipe.default_target != DEFAULT_TARGET else []
    return [*target, *(("enable", (unit,)) for unit in recipe.enabled_units)]


def want_unit(files: TreeFiles, unit: str) -> None:
    """Have multi-user.target start a unit that nothing starts, because it has no [Install] section."""
    if any(files.matching(f"{_UNITS}/*.{kind}/{unit}") for kind in ("wants", "requires", "upholds")):
        return
    files.make_directory(f"{_UNITS}/multi-user.target.wants")
    files.add_link(f"{_UNITS}/multi-user.target.wants/{unit}", f"/usr/lib/systemd/system/{unit}")


def _run_scripts(tree: Installroot, recipe: Recipe, log: Path) -> None:
    """Run the recipe's scripts; those of a treefile find /etc at /usr/etc, too, as in rpm-ostree."""
    linked = recipe.files[0].suffix != ".ks" and tree.files.status(_USR_ETC) is None
    if linked:
        tree.files.add_link(_USR_ETC, "../etc")
    for script in recipe.post_scripts:
        _run_script(tree, script, log)
    after = tree.files.status(_USR_ETC)
    if linked and after and stat.S_ISLNK(after.st_mode):
        tree.files.remove(_USR_ETC)


def _run_script(tree: Installroot, script: PostScript, log: Path) -> None:
    try:
        if script.in_tree:
            tree.write("tmp/script", script.text)
            tree.chroot([*script.interpreter.split(maxsplit=1), "/tmp/script"], log=log)
        else:
            run_outside(tree, script, log)
    except command.CommandError as error:
        if script.stop_on_error:
            raise WorkbookError(
                f"{script.source}: the script failed: {error.message}", log=error.log, hint="correct the script"
            ) from None
        place = without_copies(script.source)
        say(f"! {place}: the script failed ({error.message}); ignored, because it has no --erroronfail")


def _clean(tree: Installroot, packaged: Iterable[str]) -> None:
    """Remove files that the compose created but that are not part of the tree; ``packaged``: paths of packages."""
    files = tree.files
    links = links_of(files)
    kept = {links.real(path).lstrip("/") for path in packaged}
    for directory in ("var/cache/ldconfig", "var/log/journal"):  # no package has a file there, but a ghost
        _remove_unpackaged(files, directory, set())
    for directory in ("tmp", "var/tmp", "run", "proc", "dev", "sys"):
        _remove_unpackaged(files, directory, {path for path in kept if path.startswith(f"{directory}/")})
    remove_backups(files)
    if not files.matching("usr/bin/dnf*"):  # only a dnf in the tree needs dnf's state
        for directory in ("etc/dnf", _DNF_STATE):
            files.remove(directory)
    for file in ("var/.updated", "var/lib/systemd/random-seed"):
        files.remove(file)


def remove_backups(files: TreeFiles) -> None:
    """Remove the files that programs leave in /etc besides those that they change."""
    for backup in ("passwd-", "shadow-", "group-", "gshadow-", ".pwd.lock", ".updated"):
        files.remove(f"etc/{backup}")


def _remove_unpackaged(files: TreeFiles, directory: str, packaged: Set[str]) -> None:
    for path in files.entries(directory):
        if not any(f"{name}/".startswith(f"{path}/") for name in packaged):
            files.remove(path)
        elif files.is_directory(path):
            _remove_unpackaged(files, path, packaged)


def _set_machine_id(tree: Installroot, recipe: Recipe) -> None:
    """machine-id(5): systemd sets the ID at boot; ``uninitialized`` and no file at all make it a first boot."""
    tree.files.remove("etc/machine-id")
    if recipe.machine_id != "absent":
        tree.write("etc/machine-id", "uninitialized\n" if recipe.machine_id == "uninitialized" else "")


def settle_databases(tree: Installroot) -> None:
    """Make the databases of rpm and dnf reproducible, each in a single file.

    dnf's history keeps the arguments and the reason for each package. The time, the user and
    the output of scriptlets, whose order is random, are removed.
    """
    epoch = tree.source_date_epoch
    history = f"UPDATE trans SET dt_begin={epoch}, dt_end={epoch}, user_id=-1; DELETE FROM console_output; "
    for directory, name, statements in ((RPMDB, "rpmdb.sqlite", ""), (_DNF_STATE, "history.sqlite", history)):
        if not tree.files.has_file(f"{directory}/{name}"):
            continue
        tree.run(["sqlite3", f"{INSTALLROOT}/{directory}/{name}", statements + _ONE_FILE])
        for path in tree.files.entries(directory):
            entry = path.rpartition("/")[2]
            if entry != name and (directory == RPMDB or entry.startswith(f"{name}-")):
                tree.files.remove(path)
