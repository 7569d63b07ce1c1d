"""Turns an installroot into an ostree commit, by rpm-ostree's rules for trees.

Source of the rules: rpm-ostree's documentation on tree composes and its
``rpmostree-postprocess`` (top-level links, /etc to /usr/etc, /var to tmpfiles.d, the
policy store to /etc/selinux, no binary file contexts).
"""

import os
import re
import shutil
import stat
from pathlib import Path

from atomic_lib.compose.chroot import RPMDB, Installroot
from atomic_lib.compose.file_contexts import CONTEXTS_FILE, labels_to_give, set_labels, type_of
from atomic_lib.compose.tree_paths import entries_of, path_in_tree
from atomic_lib.content.keyring import HOME, Keyring
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.solve.lock import Lock
from atomic_lib.tools.sandbox import Bind, Tools

TOPLEVEL_LINKS = {
    "home": "var/home",
    "media": "run/media",
    "mnt": "var/mnt",
    "opt": "var/opt",
    "ostree": "sysroot/ostree",
    "root": "var/roothome",
    "srv": "var/srv",
    "usr/local": "../var/usrlocal",
}
_VAR_DIRECTORIES = {"home": "0755", "mnt": "0755", "opt": "0755", "roothome": "0700", "srv": "0755",
                    **{f"usrlocal{part}": "0755" for part in ("", "/bin", "/etc", "/lib", "/sbin", "/share", "/src")},
                    }  # fmt: skip
OBJECT_OF_FILE = ".file"
"""The suffix of a repository's objects that hold a file with its attributes."""
_LABELLED_SEPARATELY = ("proc", "sysroot", "ostree")
_AUTOVAR = "usr/lib/tmpfiles.d/rpm-ostree-1-autovar.conf"
# Sorts before all others: files below /root need the target of that link.
_OWN = "usr/lib/tmpfiles.d/00-rpm-ostree-integration.conf"


def make_ostree_tree(tree: Installroot) -> list[str]:
    """Convert the installroot, in place, to the content of a commit.

    Returns the regular files below /var. They are removed, because a commit cannot contain them.
    """
    root = tree.root
    _move_policy_store(root)
    for compiled in path_in_tree(root, "etc/selinux/*").parent.glob("*/contexts/files/*.bin"):
        compiled.unlink()
    dropped = _convert_var(root)
    _empty(root, "boot")
    for name, target in TOPLEVEL_LINKS.items():
        _replace_by_link(path_in_tree(root, name), target)
    (root / "sysroot").mkdir(exist_ok=True)
    share = root / "usr/share/rpm"
    if not share.exists():
        share.symlink_to("../lib/sysimage/rpm")
    (root / "etc").rename(root / "usr/etc")
    return dropped


def label_tree(tree: Installroot, contexts: Path) -> None:
    """Label all files by the file contexts in the directory ``contexts``; the commit then keeps these labels."""
    root, policy = Bind(tree.root, INSTALLROOT, writable=True), Bind(contexts, "/mnt/contexts")
    tree.tools.run(
        ["setfiles", "-F", "-r", INSTALLROOT, f"/mnt/contexts/{CONTEXTS_FILE}", INSTALLROOT],
        binds=[root, policy],
        rights="label",
    )
    special = [tree.root / name for name in _LABELLED_SEPARATELY if os.path.lexists(tree.root / name)]
    lookups = {f"{INSTALLROOT}/{path.name}": (f"/{path.name}", type_of(path)) for path in special}
    set_labels(tree.tools, [root], labels_to_give(tree.tools, contexts, lookups))


def label_repository(tools: Tools, directory: Path, contexts: Path) -> None:
    """Label ostree's own files in ``directory/repo``, by their paths in a system that has this repository.

    Objects that hold a file keep its label, which is part of their checksum.
    """
    repo = directory / "repo"
    own = [repo, *(path for path in sorted(repo.rglob("*")) if path.suffix != OBJECT_OF_FILE)]
    names = [path.relative_to(repo.parent) for path in own]
    lookups = {f"/mnt/{name}": (f"/ostree/{name}", type_of(path)) for name, path in zip(names, own, strict=True)}
    set_labels(tools, [Bind(repo, "/mnt/repo", writable=True)], labels_to_give(tools, contexts, lookups))


def commit_tree(keyring: Keyring, directory: Path, lock: Lock, *, ref: str, version: str, epoch: int) -> str:
    """Commit ``directory/root`` to a new bare repository ``directory/repo`` and sign it; returns the commit's checksum.

    The commit's metadata has the version, and the package list in the format that ``rpm-ostree
    db`` reads. The commit consumes ``root``: its files become the objects.
    """
    # One bind for both directories: ostree could not consume a mount point.
    binds, tools = [Bind(directory, "/mnt/tree", writable=True), keyring.bind], keyring.tools
    tools.run(["ostree", "init", "--repo=/mnt/tree/repo", "--mode=bare"], binds=binds, rights="label")
    rows = ", ".join(
        f"('{package.name}', '{package.epoch}', '{package.version}', '{package.release}', '{package.arch}')"
        for package in lock.packages
    )
    # Results in the store are not synced to disk before they are published, so the repository need not be either.
    words = ["ostree", "commit", "--repo=/mnt/tree/repo", f"--branch={ref}", "--parent=none", "--bootable", "--consume",
             "--disable-fsync", f"--subject={version}", f"--timestamp=@{epoch}",
             f"--add-metadata-string=version={version}", f"--add-metadata=rpmostree.rpmdb.pkglist=[{rows}]",
             f"--gpg-sign={keyring.fingerprint}", f"--gpg-homedir={HOME}", "--tree=dir=/mnt/tree/root"]  # fmt: skip
    return tools.run(words, binds=binds, rights="label").stdout.strip()


def _move_policy_store(root: Path) -> None:
    """Move the store of policy modules from /var, which is empty in a commit, to /etc/selinux; set semanage.conf."""
    configuration = path_in_tree(root, "etc/selinux/semanage.conf")
    moved = False
    for store in sorted(path_in_tree(root, "var/lib/selinux/*").parent.glob("*/active")):
        store.rename(root / "etc/selinux" / store.parent.name / "active")
        moved = True
    if moved and configuration.is_file():
        text = re.sub(r"(?m)^\s*store-root\s*=.*\n", "", configuration.read_text())
        configuration.write_text(f"{text.rstrip()}\nstore-root=/etc/selinux\n")


def _convert_var(root: Path) -> list[str]:
    """Write tmpfiles.d lines that create /var's directories and links at boot, then empty /var.

    Returns the regular files that this removes, apart from those of the RPM database.
    """
    lines, dropped = [], []
    for path in sorted((root / "var").rglob("*")):
        status, name = path.lstat(), "/" + str(path.relative_to(root))
        if stat.S_ISDIR(status.st_mode):
            mode = stat.S_IMODE(status.st_mode)
            lines.append(f"d {_escaped(name)} {mode:04o} {status.st_uid} {status.st_gid} -")
        elif stat.S_ISLNK(status.st_mode):
            lines.append(f"L {_escaped(name)} - - - - {_escaped(str(path.readlink()))}")
        else:
            dropped.append(name)
    own = [f"d /var/{name} {mode} root root -" for name, mode in _VAR_DIRECTORIES.items()]
    declared = _paths(own) | _paths_of_packages(root)
    for file, text in ((_OWN, own), (_AUTOVAR, [line for line in lines if line.split()[1] not in declared])):
        path_in_tree(root, file).parent.mkdir(parents=True, exist_ok=True)
        path_in_tree(root, file).write_text("\n".join(text) + "\n")
    _empty(root, "var")
    return [name for name in dropped if not name.startswith(f"/{RPMDB}")]


def _paths(lines: list[str]) -> set[str]:
    return {line.split()[1] for line in lines}


def _paths_of_packages(root: Path) -> set[str]:
    """The paths in /var in the packages' own tmpfiles.d lines. These say more than ours, and the first line wins."""
    texts = [path.read_text() for path in sorted((root / "usr/lib/tmpfiles.d").glob("*.conf"))]
    return _paths([line for text in texts for line in text.splitlines() if re.match(r"[dDvqQL][^\s]*\s+/var/", line)])


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(" ", "\\x20").replace("%", "%%")


def _empty(root: Path, directory: str) -> None:
    for path in entries_of(root, directory):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _replace_by_link(path: Path, target: str) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)
