"""The tools tree (all build tools in one Debian root) and how a command enters it.

The tree is made once by mmdebstrap, kept in the cache directory, and entered through
bubblewrap: own mount, pid, ipc, uts and (unless asked for) network namespace, the tree
itself read-only. The host stays clean, and tool versions are the same on every host.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from atomic_lib.base import command
from atomic_lib.base.code_version import code_version
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store, key_of

TOOLS_SUITE = "trixie"
# fmt: off
TOOLS_PACKAGES = (
    "apt", "ca-certificates", "debian-archive-keyring", "gpg", "gpgv", "gnupg",
    "rpm", "createrepo-c", "dnf",
    "ostree", "selinux-utils", "policycoreutils", "semodule-utils",
    "e2fsprogs", "dosfstools", "mtools", "fdisk", "grub-pc-bin", "grub-efi-amd64-bin", "grub-common",
    "qemu-system-x86", "qemu-utils", "ovmf", "seabios", "ipxe-qemu", "openssh-client", "socat", "busybox-static",
    "attr", "cpio", "diffoscope-minimal", "distribution-gpg-keys", "file", "kmod", "libfaketime", "sqlite3", "xz-utils",
    "zstd",
)
# fmt: on
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MOUNTS = "/mnt"
"""Where a command in the tools tree finds the directories it is given: ``/mnt/NAME``."""

CACHE_TAG_NAME = "CACHEDIR.TAG"
CACHE_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# Made by atomic-workbook; ./workbook clean cache removes it.\n"
)
"""What marks a directory as a cache, for backup programs too (bford.info/cachedir)."""

_SPACE_BYTES = 1_500_000_000
# The last one: scriptlets run in namespaces of our making already, where a further one is not allowed.
_RPM_MACROS = """\
%_dbpath /usr/lib/sysimage/rpm
%__gpg /usr/bin/gpg
%__transaction_unshare %{nil}
"""
# A host command whose children, too, end with this process, killed or not, and whose mounts end with them.
_OWN_PROCESSES = ("bwrap", "--die-with-parent", "--unshare-pid", "--dev-bind", "/", "/", "--proc", "/proc", "--")
# What writing a root file system needs, and no more: neither mounts nor modules nor the clock.
_ROOT_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "SETFCAP", "SETGID", "SETUID",
                      "SYS_CHROOT")  # fmt: skip
_LABEL_CAPABILITIES = (*_ROOT_CAPABILITIES, "SYS_ADMIN", "LINUX_IMMUTABLE")

Rights = Literal["none", "root", "label"]


@dataclass(frozen=True)
class Bind:
    """A directory or file of the host that a command in the tools tree sees at ``target``."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class Tools:
    """The tools tree. ``key`` names its content and belongs into the inputs of every stage that uses it.

    ``environment`` and ``device_files`` are there for every command without the network, the
    latter as files of its /dev: for a rebuild under other circumstances than the usual.
    """

    root: Path
    key: str
    environment: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    device_files: Mapping[str, Path] = field(default_factory=dict, kw_only=True)

    def argv(
        self,
        words: Sequence[str | os.PathLike[str]],
        *,
        binds: Sequence[Bind] = (),
        rights: Rights = "none",
        network: bool = False,
        devices: Sequence[str] = (),
        filesystems: Sequence[str] = (),
        cwd: str = "/",
    ) -> list[str]:
        """The bubblewrap command line that runs ``words`` in the tools tree.

        ``rights``: "none"; "root" to write a root file system (owners, device nodes,
        chroot); "label" to also set ``security.*`` attributes. ``filesystems``: targets
        that get their own /proc and /dev below them, for scriptlets that run in a chroot.
        ``devices``: device nodes of the host to pass in.
        """
        line = ["bwrap", "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid", "--unshare-uts"]
        line += ["--unshare-cgroup-try", "--hostname", "workbook", "--ro-bind", str(self.root), "/"]
        line += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp", "--tmpfs", "/run"]
        line += ["--tmpfs", MOUNTS]
        if not network:
            line.append("--unshare-net")
        elif Path("/etc/resolv.conf").exists():
            line += ["--ro-bind", str(Path("/etc/resolv.conf").resolve()), "/etc/resolv.conf"]
        for device in devices:
            line += ["--dev-bind", device, device]
        for bind in binds:
            line += ["--bind" if bind.writable else "--ro-bind", str(bind.source), bind.target]
        for target in filesystems:
            line += ["--proc", f"{target}/proc", "--dev", f"{target}/dev"]
        if not network:  # the certificates of a mirror hold in their own time only
            line += self._circumstances(("", *filesystems))
        line += ["--cap-drop", "ALL"]
        for name in {"none": (), "root": _ROOT_CAPABILITIES, "label": _LABEL_CAPABILITIES}[rights]:
            line += ["--cap-add", f"CAP_{name}"]
        return [*line, "--chdir", cwd, "--", *(os.fspath(word) for word in words)]

    def _circumstances(self, tops: Sequence[str]) -> list[str]:
        files = [(f"{top}/dev/{name}", path) for top in tops for name, path in self.device_files.items()]
        line = [word for target, path in files for word in ("--ro-bind", str(path), target)]
        # not in the environment of bubblewrap itself, which is a program of the host
        return line + [word for name, value in self.environment.items() for word in ("--setenv", name, value)]

    def run(
        self,
        words: Sequence[str | os.PathLike[str]],
        *,
        binds: Sequence[Bind] = (),
        rights: Rights = "none",
        network: bool = False,
        filesystems: Sequence[str] = (),
        cwd: str = "/",
        env: Mapping[str, str] | None = None,
        input: str | bytes | None = None,
        timeout_seconds: float | None = None,
        log: Path | None = None,
        hint: str = "",
    ) -> command.Completed:
        """Run one command in the tools tree to its end; see ``argv`` and ``command.run``."""
        line = self.argv(words, binds=binds, rights=rights, network=network, filesystems=filesystems, cwd=cwd)
        return command.run(
            line, env={"HOME": "/tmp", **(env or {})}, input=input, network=network, timeout_seconds=timeout_seconds,
            log=log, hint=hint, shown=words,
        )  # fmt: skip

    @contextmanager
    def running(
        self,
        words: Sequence[str | os.PathLike[str]],
        *,
        log: Path,
        binds: Sequence[Bind] = (),
        network: bool = False,
        devices: Sequence[str] = (),
    ) -> Iterator[command.Background]:
        """A command in the tools tree in the background, ended with all its children on leaving the block."""
        line = self.argv(words, binds=binds, network=network, devices=devices)
        with command.running(line, log=log, env={"HOME": "/tmp"}) as process:
            yield process


def debian_mirror() -> str:
    """The Debian mirror: $WORKBOOK_MIRROR, else the one that the host's apt is configured with.

    Raises WorkbookError where neither names one.
    """
    if os.environ.get("WORKBOOK_MIRROR"):
        return os.environ["WORKBOOK_MIRROR"].rstrip("/")
    try:
        form = "$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)"
        targets = command.run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).stdout
    except command.CommandError:
        targets = ""
    return choose_mirror(targets)


def choose_mirror(targets: str) -> str:
    """The first Debian main archive (not security, not backports) in the output of ``apt-get indextargets``.

    A ``mirror+file:`` list, as Debian's cloud images have it, stands for its first entry.
    """
    for line in targets.splitlines():
        uri, *words = line.split()
        if words[1:] == ["main", "Debian"] and "-" not in words[0]:
            address = _first_of_list(Path(uri[12:].rstrip("/"))) if uri.startswith("mirror+file:") else uri
            if address.startswith(("http://", "https://")):
                return address.rstrip("/")
    raise WorkbookError(
        "no Debian mirror: the host's apt configuration names none",
        hint="name one with --mirror, for example ./workbook --mirror https://MIRROR/debian run",
    )


def _first_of_list(path: Path) -> str:
    lines = path.read_text().split("\n") if path.is_file() else []
    return next((line.split()[0] for line in lines if line.strip() and not line.startswith("#")), "")


def tool_versions(tools: Tools) -> dict[str, str]:
    """The versions of the tools that figures depend on, by package name."""
    lines = (tools.root.parent / "versions").read_text().splitlines()
    versions = dict(line.split(" ", 1) for line in lines)
    return {name: versions[name] for name in ("qemu-system-x86", "ostree", "dnf", "rpm", "e2fsprogs", "grub-common")}


def tools_inputs() -> dict[str, object]:
    """What the tools tree is made from, apart from the state of the mirror."""
    return {"suite": TOOLS_SUITE, "packages": sorted(TOOLS_PACKAGES), "rpm_macros": _RPM_MACROS}


def find_tools(cache: Path) -> Tools | None:
    """The tools tree if it is there."""
    path = Store(cache).path_of("tools", key_of(tools_inputs()))
    return _tools_at(path) if path.is_dir() else None


def open_tools(cache: Path) -> Tools:
    """The tools tree, made first if it is not there (about a minute and 1.2 GB).

    Raises WorkbookError: no mirror, mirror not reached, bad signature, missing host tool, disk too full.
    """
    cache.mkdir(parents=True, exist_ok=True)
    (cache / CACHE_TAG_NAME).write_text(CACHE_TAG)
    stored = Store(cache).get_or_make(
        "tools", tools_inputs(), _make_tools, what="tools tree from Debian packages", need_bytes=_SPACE_BYTES
    )
    return _tools_at(stored.path)


def _tools_at(path: Path) -> Tools:
    # the rules by which a command enters the tree are part of what it will do
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
        hint="check the network and the Debian mirror; --mirror URL chooses another one",
    )  # fmt: skip
    (directory / "root/etc/rpm").mkdir(exist_ok=True)
    (directory / "root/etc/rpm/macros.workbook").write_text(_RPM_MACROS)
    listing = Tools(directory / "root", "").run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n"])
    (directory / "versions").write_text(listing.stdout)
