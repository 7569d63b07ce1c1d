"""What only kickstarts ask of a tree: accounts, keys, firewall, time, and scripts that run outside of it.

Source of the rules: Anaconda's ``core/users.py``, ``ntp.py`` and ``modules/network/firewall/installation.py``.
"""

import posixpath
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.base.scrub import without_copies
from atomic_lib.compose.chroot import Installroot
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.tools.sandbox import Bind

_FIREWALL = "usr/bin/firewall-offline-cmd"
_CHRONY = "etc/chrony.conf"
_TIME_SOURCE = re.compile(r"\s*(server|pool)\s*[-a-zA-Z.0-9]+\s?[a-zA-Z0-9\s]*$")
_HEADING = "# These servers were defined in the installation:"
"""Both as in Anaconda's ``ntp.py``."""
_LONGEST_LINE = 1000
_SCRIPT = "/tmp/ks-script"
ANACONDA_ROOT = "/mnt/sysroot"
"""Where a script outside of the tree sees it, as in Anaconda, which also sets ANA_INSTALL_PATH."""
OLD_ANACONDA_ROOT = "/mnt/sysimage"


def apply_kickstart_settings(tree: Installroot, recipe: Recipe) -> None:
    """Create groups and users, install keys, set the firewall and the sources of the time.

    As in Anaconda, a group or user that is there already stays as it is. Raises WorkbookError if an account cannot be
    created, or a key is for a user that the tree does not have.
    """
    for words in (*recipe.group_commands, *recipe.account_commands):
        if reason := _present(tree, words):
            say(f"! {_place(recipe)}: {words[-1]} is not created: {reason}")
        else:
            _create(tree, recipe, words)
    for user, key in recipe.ssh_keys:
        _add_key(tree, recipe, user, key)
    if recipe.firewall and tree.files.has_file(_FIREWALL):
        tree.chroot([f"/{_FIREWALL}", *recipe.firewall])
    elif recipe.firewall and recipe.firewall[0] == "--enabled":
        say(f"! {_place(recipe)}: firewalld is not in the tree, which has no firewall")
    if recipe.time_sources:
        _set_time_sources(tree, recipe)


def _present(tree: Installroot, words: Sequence[str]) -> str:
    """Why a group or user is not created; empty if it is."""
    name, number = words[-1], words[words.index("--gid") + 1] if "--gid" in words else ""
    if words[0] == "useradd":
        return "there is a user of that name" if _account(tree, "etc/passwd", 0, name) else ""
    if _account(tree, "etc/group", 0, name):
        return "there is a group of that name"
    other = _account(tree, "etc/group", 2, number) if number else []
    return f"group {other[0]} has the number {number}" if other else ""


def _account(tree: Installroot, file: str, column: int, value: str) -> list[str]:
    """The fields of the line of passwd or group with a value; none if there is no such line."""
    lines = [line.split(":") for line in (tree.read(file) or "").split("\n")]
    return next((fields for fields in lines if len(fields) > column and fields[column] == value), [])


def _create(tree: Installroot, recipe: Recipe, words: Sequence[str]) -> None:
    name = words[-1]
    home = next((word.removeprefix("--home-dir=") for word in words if word.startswith("--home-dir=")), f"/home/{name}")
    owner = tree.files.status(home.strip("/")) if words[0] == "useradd" else None
    if owner:
        words = ["--no-create-home" if word == "--create-home" else word for word in words]
    elif words[0] == "useradd":
        tree.files.make_directory(posixpath.dirname(home.strip("/")) or ".")
    try:
        tree.chroot(words)
    except CommandError as error:
        raise WorkbookError(
            f"{recipe.files[0]}: {words[0]} could not create {name}",
            log=error.log,
            hint="correct its line, or add the package with useradd and groupadd to the recipe",
        ) from None
    if owner:
        mine = f"--from={owner.st_uid}:{owner.st_gid}"
        tree.chroot(["chown", "--recursive", "--no-dereference", mine, f"{name}:", home])


def _set_time_sources(tree: Installroot, recipe: Recipe) -> None:
    """Replace the servers and pools of chrony.conf, if the tree has one."""
    text = tree.read(_CHRONY)
    if text is None:
        say(f"! {_place(recipe)}: chrony is not in the tree, which takes the time from no server of the kickstart")
        return
    kept = [line for line in text.split("\n") if line != _HEADING and not _is_time_source(line)]
    tree.write(_CHRONY, "\n".join([_HEADING, *recipe.time_sources, "", *kept]))


def _is_time_source(line: str) -> bool:
    return len(line) <= _LONGEST_LINE and bool(_TIME_SOURCE.match(line))  # its time grows with the square of the length


def _place(recipe: Recipe) -> str:
    return without_copies(str(recipe.files[0]))


def _add_key(tree: Installroot, recipe: Recipe, user: str, key: str) -> None:
    fields = _account(tree, "etc/passwd", 0, user)
    home = fields[5].strip("/") if len(fields) > 5 else ""
    if not home:
        raise WorkbookError(
            f"{recipe.files[0]}: sshkey: the tree has no user {user!r} with a home directory",
            hint=f"create it with user --name={user}, or add the package that has it",
        )
    file = f"{home}/.ssh/authorized_keys"
    tree.write(file, f"{tree.read(file) or ''}{key}\n", mode=0o600)
    tree.chroot(["chmod", "0700", f"/{home}/.ssh"])
    tree.chroot(["chown", "--recursive", f"{user}:", f"/{home}/.ssh"])


def run_outside(tree: Installroot, script: PostScript, log: Path) -> None:
    """Run a script in the tools tree, with the tree at ``ANACONDA_ROOT``; it sees nothing else of the host.

    Raises CommandError if it fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "script")
        file.write_bytes(script.text.encode(errors="surrogateescape"))
        roots = [ANACONDA_ROOT, OLD_ANACONDA_ROOT]
        tree.tools.run(
            [*script.interpreter.split(maxsplit=1), _SCRIPT],
            binds=[*(Bind(tree.root, root, writable=True) for root in roots), Bind(file, _SCRIPT)],
            rights="root",
            filesystems=roots,
            env={"SOURCE_DATE_EPOCH": str(tree.source_date_epoch), "ANA_INSTALL_PATH": ANACONDA_ROOT},
            log=log,
        )
