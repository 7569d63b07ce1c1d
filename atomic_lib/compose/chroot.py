"""An installroot: runs commands in it, reads and writes its files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.tools.sandbox import Bind, Tools

RPMDB = "usr/lib/sysimage/rpm"


def make_root(root: Path) -> None:
    """Create the root directory of a tree, with mode 0755 under any umask."""
    root.mkdir()
    root.chmod(0o755)


def copy_root(tools: Tools, source: Path, target: Path) -> None:
    """Copy a root into the directory ``target``, with the owners, modes, times and capabilities of its files.

    Not with hard links, because scriptlets change files in place.
    """
    tools.run(
        ["cp", "--archive", "--reflink=auto", "/mnt/source/.", INSTALLROOT],
        binds=[Bind(source, "/mnt/source"), Bind(target, INSTALLROOT, writable=True)],
        rights="root",
    )


@dataclass(frozen=True)
class Installroot:
    """A tree under construction at ``root``; commands in it have no access to the host or the network."""

    tools: Tools
    root: Path
    source_date_epoch: int

    @property
    def files(self) -> TreeFiles:
        """The files of the tree."""
        return TreeFiles(self.root)

    def run(
        self,
        words: Sequence[str],
        *,
        binds: Sequence[Bind] = (),
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> command.Completed:
        """Run a command of the tools tree with the installroot at /mnt/root."""
        return self.tools.run(
            words,
            binds=[Bind(self.root, INSTALLROOT, writable=True), *binds],
            rights="root",
            filesystems=[INSTALLROOT],
            env={"SOURCE_DATE_EPOCH": str(self.source_date_epoch), **(env or {})},
            log=log,
        )

    def chroot(self, words: Sequence[str], *, log: Path | None = None) -> command.Completed:
        """Run a command of the installroot in the installroot."""
        return self.run(["chroot", INSTALLROOT, *words], log=log)

    def write(self, path: str, text: str, mode: int | None = None) -> None:
        """Write a file of the tree; see ``TreeFiles.write``."""
        self.files.write(path, text, mode)

    def read(self, path: str) -> str | None:
        """The text of a file of the tree; None if there is no such file."""
        return self.files.text(path)
