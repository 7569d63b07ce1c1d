"""Commits a tree to a repository of its own, signed."""

import stat
from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.commit.known_objects import remove_other_objects
from atomic_lib.compose.tree_access.beneath import refusal
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.content.keyring import HOME, Keyring
from atomic_lib.solve.lock import Lock
from atomic_lib.tools.sandbox import Bind


def commit_tree(
    keyring: Keyring,
    root: Path,
    repo: Path,
    lock: Lock,
    *,
    ref: str,
    version: str,
    epoch: int,
    metadata: Sequence[tuple[str, str]] = (),
    known: Path | None = None,
) -> str:
    """Commit ``root``, which has labels, to the new repository ``repo`` and sign it; returns the commit's checksum.

    ``known``: a directory of objects, which becomes the repository's; those of the commit in it are not written again.

    The repository keeps owners, modes and labels as data (mode ``bare-user``), because its file system may not take
    them. The commit's metadata has the version, the package list in the format that ``rpm-ostree db`` reads, and
    ``metadata``: keys with their values in the text form of GVariant.

    Raises WorkbookError, with the path, for what is no file, directory or link, and with ostree's reason if it fails.
    """
    _require_kinds(TreeFiles(root))
    repo.mkdir()
    binds = [Bind(root, "/mnt/tree/root"), Bind(repo, "/mnt/tree/repo", writable=True), keyring.bind]
    tools = keyring.tools
    tools.run(["ostree", "init", "--repo=/mnt/tree/repo", "--mode=bare-user"], binds=binds, rights="root")
    if known:
        (repo / "objects").rmdir()
        known.rename(repo / "objects")
    rows = ", ".join(
        f"('{package.name}', '{package.epoch}', '{package.version}', '{package.release}', '{package.arch}')"
        for package in lock.packages
    )
    # Results in the store are not synced to disk before they are published, so the repository need not be either.
    words = ["ostree", "commit", "--repo=/mnt/tree/repo", f"--branch={ref}", "--parent=none", "--bootable",
             "--disable-fsync", f"--subject={version}", f"--timestamp=@{epoch}",
             f"--add-metadata-string=version={version}", f"--add-metadata=rpmostree.rpmdb.pkglist=[{rows}]",
             *(f"--add-metadata={key}={value}" for key, value in metadata),
             f"--gpg-sign={keyring.fingerprint}", f"--gpg-homedir={HOME}", "--tree=dir=/mnt/tree/root"]  # fmt: skip
    try:
        commit = tools.run(words, binds=binds, rights="root").stdout.strip()
    except CommandError as error:  # the command line has all packages
        raise WorkbookError(f"ostree could not commit the tree: {error.log}") from None
    if known:
        remove_other_objects(repo, commit)
    return commit


def _require_kinds(files: TreeFiles) -> None:
    for path, status in files.below():
        if stat.S_IFMT(status.st_mode) not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            raise refusal(path, "a commit contains only files, directories and links, no FIFOs, sockets or devices")
