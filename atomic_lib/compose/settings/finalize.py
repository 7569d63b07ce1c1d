"""Runs the programs in ``finalize.d`` of a recipe, as the last change to a tree.

Source of the rules: rpm-ostree's docs/treefile.md (associated directories). The programs are those of a host, not of
the tree: here the build tools are this host. Their working directory is the root of the tree, and RPMOSTREE_WORKDIR
names the treefile's directory.
"""

import tempfile
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.settings.recipe_files import put_files
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.tools.sandbox import Bind

_PROGRAMS, _DIRECTORY = "/mnt/finalize.d", "/mnt/treefile"


def finalize(tree: Installroot, recipe: Recipe, log: Path) -> None:
    """Run the programs in the tools tree, in order; they can write nothing but the tree, and have no network.

    Raises WorkbookError naming the program if one fails.
    """
    if recipe.finalization is None:
        return
    with tempfile.TemporaryDirectory() as programs, tempfile.TemporaryDirectory() as files:
        put_files(TreeFiles(Path(programs)), recipe.finalization.programs, overwrite=True)
        put_files(TreeFiles(Path(files)), recipe.finalization.files, overwrite=True)
        for program in recipe.finalization.programs:
            try:
                tree.tools.run(
                    [f"{_PROGRAMS}/{program.path}"],
                    binds=[Bind(tree.root, INSTALLROOT, writable=True), Bind(Path(programs), _PROGRAMS),
                           Bind(Path(files), _DIRECTORY)],
                    rights="root",
                    filesystems=[INSTALLROOT],
                    cwd=INSTALLROOT,
                    env={"SOURCE_DATE_EPOCH": str(tree.source_date_epoch), "RPMOSTREE_WORKDIR": _DIRECTORY},
                    log=log,
                )  # fmt: skip
            except CommandError as error:
                raise WorkbookError(
                    f"{recipe.files[0]}: finalize.d/{program.path}: {error.message}",
                    log=error.log,
                    hint="correct the program; it runs with the build tools, without network, and sees the tree only",
                ) from None
