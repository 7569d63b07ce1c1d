"""The tools tree: all build tools in one Debian root.

mmdebstrap builds the tree once, in the cache directory. Commands run in it through
bubblewrap (see ``sandbox``), so the host stays clean and all tools are of one Debian suite.

The tree is a stored result like all others: names, sizes and times of its files are compared at each use, and a
damaged tree is made again. ``./workbook doctor --check`` compares the content of all its files.
"""

import hashlib
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.code_version import code_version
from atomic_lib.base.files import find_damage
from atomic_lib.base.store import Store, key_of
from atomic_lib.tools.mirror import debian_mirror
from atomic_lib.tools.sandbox import Tools

TOOLS_SUITE = "trixie"
# fmt: off
TOOLS_PACKAGES = (
    "apt", "ca-certificates", "debian-archive-keyring", "gpg", "gpgv", "gnupg",
    "rpm", "createrepo-c", "dnf",
    "ostree", "selinux-utils", "policycoreutils", "semodule-utils",
    "e2fsprogs", "dosfstools", "mtools", "fdisk", "grub-pc-bin", "grub-efi-amd64-bin", "grub-common",
    "qemu-system-x86", "qemu-utils", "ovmf", "seabios", "ipxe-qemu", "openssh-client", "socat", "busybox-static",
    "attr", "casync", "cpio", "diffoscope-minimal", "distribution-gpg-keys", "file", "kmod", "libfaketime", "sqlite3",
    "xz-utils", "zstd",
)
# fmt: on
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

CACHE_TAG_NAME = "CACHEDIR.TAG"
CACHE_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# Made by atomic-workbook; ./workbook clean cache removes it.\n"
)
"""The tag that marks a directory as our cache; backup programs recognize it too (bford.info/cachedir)."""

_SPACE_BYTES = 1_500_000_000
# __transaction_unshare: rpm must not unshare for scriptlets; the sandbox does not allow further namespaces.
_RPM_MACROS = """\
%_dbpath /usr/lib/sysimage/rpm
%__gpg /usr/bin/gpg
%__transaction_unshare %{nil}
"""
# For a host command: its children and mounts end when this process ends, even if it is killed.
_OWN_PROCESSES = ("bwrap", "--die-with-parent", "--unshare-pid", "--dev-bind", "/", "/", "--proc", "/proc", "--")


def tool_versions(tools: Tools) -> dict[str, str]:
    """The versions of the tools that figures depend on, by Debian package name."""
    lines = (tools.root.parent / "versions").read_text().splitlines()
    versions = dict(line.split(" ", 1) for line in lines)
    return {name: versions[name] for name in ("qemu-system-x86", "ostree", "dnf", "rpm", "e2fsprogs", "grub-common")}


def tools_inputs() -> dict[str, object]:
    """The inputs of the tools tree's key; the state of the mirror is not one of them.

    ``manifest``: so that a tree of older versions, which has none, is not taken for a damaged one.
    """
    return {"suite": TOOLS_SUITE, "packages": sorted(TOOLS_PACKAGES), "rpm_macros": _RPM_MACROS, "manifest": 1}


def find_tools(cache: Path) -> Tools | None:
    """The tools tree, or None if it is not built yet, or damaged."""
    path = _path(cache)
    return _tools_at(path) if path.is_dir() and not tools_damage(cache) else None


def tools_damage(cache: Path) -> list[str]:
    """How the tools tree is damaged; empty if it is not built yet, or this user may not read all of it."""
    try:
        return find_damage(_path(cache)) if _path(cache).is_dir() else []
    except PermissionError:
        return []


def open_tools(cache: Path) -> Tools:
    """The tools tree; built first if there is none, or it is damaged (about a minute, 1.2 GB).

    Raises WorkbookError if there is no mirror, the mirror cannot be reached, a signature is bad, a host tool is
    missing, or the disk is too full.
    """
    cache.mkdir(parents=True, exist_ok=True)
    (cache / CACHE_TAG_NAME).write_text(CACHE_TAG)
    stored = Store(cache).get_or_make(
        "tools", tools_inputs(), _make_tools, what="tools tree from Debian packages", need_bytes=_SPACE_BYTES
    )
    return _tools_at(stored.path)


def _path(cache: Path) -> Path:
    return Store(cache).path_of("tools", key_of(tools_inputs()))


def _tools_at(path: Path) -> Tools:
    # how commands enter the tree also affects what they do
    content = (path / "versions").read_text() + _RPM_MACROS + code_version(__name__)
    return Tools(path / "root", hashlib.sha256(content.encode()).hexdigest()[:16])


def _make_tools(directory: Path) -> None:
    source = f"deb [signed-by={KEYRING}] {debian_mirror()} {TOOLS_SUITE} main"
    excludes = ["/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"]
    command.run(
        [*_OWN_PROCESSES, "mmdebstrap", "--mode=root", "--variant=apt", f"--include={','.join(TOOLS_PACKAGES)}",
         "--aptopt=APT::Install-Recommends \"false\"",
         *(f"--dpkgopt=path-exclude={path}" for path in excludes),
         TOOLS_SUITE, directory / "root", source],
        network=True,
        timeout_seconds=1200,
        log=directory / "mmdebstrap.log",
        hint="check the network and the Debian mirror; choose another mirror with --mirror URL",
    )  # fmt: skip
    (directory / "root/etc/rpm").mkdir(exist_ok=True)
    (directory / "root/etc/rpm/macros.workbook").write_text(_RPM_MACROS)
    listing = Tools(directory / "root", "").run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n"])
    (directory / "versions").write_text(listing.stdout)
