"""What only kickstarts ask of a tree: accounts, keys, the firewall, and scripts that run outside of it."""

import tempfile
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.base.scrub import without_copies
from atomic_lib.compose.chroot import Installroot
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.tools.sandbox import Bind

_FIREWALL = "usr/bin/firewall-offline-cmd"
_SCRIPT = "/tmp/ks-script"
ANACONDA_ROOT = "/mnt/sysroot"
"""Where a script outside of the tree sees it, as in Anaconda, which also sets ANA_INSTALL_PATH."""
OLD_ANACONDA_ROOT = "/mnt/sysimage"


def apply_kickstart_settings(tree: Installroot, recipe: Recipe) -> None:
    """Create groups and users, install keys and set the firewall.

    Raises WorkbookError if an account cannot be created, or a key is for a user that the tree does not have.
    """
    for words in recipe.account_commands:
        try:
            tree.chroot(words)
        except CommandError as error:
            raise WorkbookError(
                f"{recipe.files[0]}: {words[0]} could not create {words[-1]}",
                log=error.log,
                hint="correct its line, or add the package with useradd and groupadd to the recipe",
            ) from None
    for user, key in recipe.ssh_keys:
        _add_key(tree, recipe, user, key)
    if recipe.firewall and tree.files.has_file(_FIREWALL):
        tree.chroot([f"/{_FIREWALL}", *recipe.firewall])
    elif recipe.firewall and recipe.firewall[0] == "--enabled":
        place = without_copies(str(recipe.files[0]))
        say(f"! {place}: firewall --enabled: firewalld is not in the tree, which has no firewall")


def _add_key(tree: Installroot, recipe: Recipe, user: str, key: str) -> None:
    accounts = [line.split(":") for line in (tree.read("etc/passwd") or "").split("\n")]
    home = next((fields[5].strip("/") for fields in accounts if fields[0] == user and len(fields) > 5), "")
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
