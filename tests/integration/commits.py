"""Commits made on the spot: a small tree with a shell, a kernel and an RPM database, in a repository of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.compose.chroot import RPMDB, Installroot
from atomic_lib.compose.commit.ostree_commit import commit_tree
from atomic_lib.content.keyring import open_keyring
from atomic_lib.formats.openpgp import derive_key
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.tools.sandbox import Bind, Tools
from tests.integration.tiny import make_rpm

REF = "own/x86_64/host"
EPOCH = 1735689600
_LOCK = Lock("tiny", (LockedPackage("one", 0, "1", "1", "noarch", "0" * 64, 1, "tiny"),))
_LINKS = {"home": "var/home", "root": "var/roothome", "ostree": "sysroot/ostree", "bin": "usr/bin", "sbin": "usr/bin"}
_DIRECTORIES = ("boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var", "usr/bin", "usr/etc/ssh", RPMDB)
_SYSTEMCTL = '#!/bin/sh\necho "$@" >>/etc/systemctl\ntest "$3" != absent.service\n'
_TMPFILES = "#!/bin/sh\nmkdir -p /var/home /var/roothome\nexit 65\n"
_USERADD = '#!/bin/sh\nfor name; do :; done\necho "$name:x:1000:1000::/home/$name:/bin/sh" >>/etc/passwd\n'


@dataclass(frozen=True)
class MadeCommit:
    """A commit in ``repo``, and the file of the public key that signed it."""

    commit: str
    repo: Path
    key: Path

    def without_signature(self) -> "MadeCommit":
        """The commit after its signature is removed."""
        for path in self.repo.rglob("*.commitmeta"):
            path.unlink()
        return self


def make_tree(tools: Tools, directory: Path, *, packages: bool = True) -> Path:
    """A tree ``directory/root`` in the form of a commit, without SELinux."""
    root = directory / "root"
    for name in _DIRECTORIES:
        (root / name).mkdir(parents=True)
    for name, target in _LINKS.items():
        (root / name).symlink_to(target)
    tree = Installroot(tools, root, EPOCH)
    tree.files.take_in(tools.root / "usr/bin/busybox", "usr/bin/busybox")
    for name in ("sh", "cat", "dd", "ls", "mkdir", "rm", "sed", "touch", "chown", "chmod"):
        (root / "usr/bin" / name).symlink_to("busybox")
    for name, text in (("systemctl", _SYSTEMCTL), ("systemd-tmpfiles", _TMPFILES), ("useradd", _USERADD)):
        tree.write(f"usr/bin/{name}", text, 0o755)
    tree.write("usr/lib/modules/1/vmlinuz", "kernel\n")
    tree.write("usr/lib/os-release", "ID=own\nPRETTY_NAME='Own'\n")
    tree.write("usr/etc/os-release", "ID=own\nPRETTY_NAME='Own'\n")
    tree.write("usr/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    tree.write("usr/etc/shadow", "root:x:1::::::\n", 0o640)
    if packages:
        rpm = make_rpm(tools, directory / "rpms", "one")
        words = ["rpm", f"--root={INSTALLROOT}", f"--dbpath=/{RPMDB}", "-i", "--nodeps", "--nosignature", "/mnt/rpm"]
        tree.run(words, binds=[Bind(rpm, "/mnt/rpm")])
    return root


def make_commit(
    tools: Tools,
    directory: Path,
    *,
    change: Callable[[Path], object] = lambda _: None,
    packages: bool = True,
    key: str = "own key",
    ref: str = REF,
) -> MadeCommit:
    """A signed commit of a small tree in ``directory/repo``; ``change`` is done to the tree first."""
    directory.mkdir(exist_ok=True)
    root = make_tree(tools, directory, packages=packages)
    change(root)
    with open_keyring(tools, directory, derive_key(tools, key, key, directory), EPOCH) as keyring:
        (directory / "key.asc").write_text(keyring.public_key())
        commit = commit_tree(keyring, root, directory / "repo", _LOCK, ref=ref, version="1", epoch=EPOCH)
    return MadeCommit(commit, directory / "repo", directory / "key.asc")


def archive_of(tools: Tools, repo: Path, target: Path) -> Path:
    """A copy of a repository as web servers have it, in the new directory ``target``."""
    target.mkdir()
    binds = [Bind(repo, "/mnt/from"), Bind(target, "/mnt/to", writable=True)]
    for words in (["init", "--mode=archive"], ["pull-local", "--disable-fsync", "/mnt/from"]):
        tools.run(["ostree", words[0], "--repo=/mnt/to", *words[1:]], binds=binds, rights="root")
    return target
