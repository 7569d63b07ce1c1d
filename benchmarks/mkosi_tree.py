"""The tree that mkosi runs in: a Debian root, made as the tools tree is, of the same suite and with mkosi's tools.

No stage uses it, and it is not part of the tools tree. mkosi makes namespaces and mounts of its own, which the filter
of ``Tools`` refuses; so it runs without that filter, with the rights of the namespace's root, and without network. It
sees the host's files that it is given, and no others.
"""

from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.store import Store
from atomic_lib.tools.mirror import debian_mirror
from atomic_lib.tools.sandbox import MOUNTS, Bind
from atomic_lib.tools.tools_tree import KEYRING, TOOLS_SUITE

PACKAGES = ("mkosi", "dnf", "rpm")
"""The packages of the tree. mkosi's dependencies are the others: systemd-repart, ukify, e2fsprogs and so on."""
# mkosi covers /etc/pki of its configuration, where the keys are, with that of the tree, if it has files
_LEFT_OUT = ("/etc/pki/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
_INPUTS = {"suite": TOOLS_SUITE, "packages": PACKAGES, "left_out": _LEFT_OUT}
_SPACE_BYTES = 1_500_000_000
_OWN_PROCESSES = ("bwrap", "--die-with-parent", "--unshare-pid", "--dev-bind", "/", "/", "--proc", "/proc", "--")


def open_mkosi_tree(cache: Path) -> Path:
    """The root directory of the tree; made first if the cache has none, or it is damaged.

    Raises WorkbookError if there is no mirror, it cannot be reached, a signature is bad, or the disk is too full.
    """
    what = "mkosi's tree from Debian packages"
    stored = Store(cache).get_or_make("mkosi-tree", _INPUTS, _make, what=what, need_bytes=_SPACE_BYTES)
    return stored.path / "root"


def command_line(root: Path, words: Sequence[str], binds: Sequence[Bind]) -> list[str]:
    """The command line that runs ``words`` in the tree, as root of the namespace and without network."""
    line = ["bwrap", "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid", "--unshare-uts"]
    line += ["--unshare-net", "--ro-bind", str(root), "/", "--proc", "/proc", "--dev", "/dev"]
    line += [word for place in ("/tmp", "/var/tmp", "/run", MOUNTS) for word in ("--tmpfs", place)]
    for bind in binds:
        line += ["--bind" if bind.writable else "--ro-bind", str(bind.source), bind.target]
    return [*line, "--cap-add", "ALL", "--", *words]


def version_of(root: Path) -> str:
    """The version of mkosi in the tree, as Debian names it."""
    words = ["dpkg-query", "-W", "-f", "${Version}", "mkosi"]
    return command.run(command_line(root, words, ())).stdout


def _make(directory: Path) -> None:
    source = f"deb [signed-by={KEYRING}] {debian_mirror()} {TOOLS_SUITE} main"
    options = ["--mode=root", "--variant=apt", f"--include={','.join(PACKAGES)}",
               "--aptopt=APT::Install-Recommends \"false\"",
               *(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT)]  # fmt: skip
    command.run(
        [*_OWN_PROCESSES, "mmdebstrap", *options, TOOLS_SUITE, directory / "root", source],
        network=True,
        timeout_seconds=1200,
        log=directory / "mmdebstrap.log",
        hint="check the network and the Debian mirror; name another mirror in WORKBOOK_MIRROR",
    )
