"""Runs commands in the tools tree through bubblewrap, with namespaces of their own and the tree read-only."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from atomic_lib.base import command
from atomic_lib.tools.confinement.confine import confined
from atomic_lib.tools.confinement.limits import NO_CORE, ControlGroup, Limits, control_group

MOUNTS = "/mnt"
"""The directory in the tools tree where commands see the host directories that they use: ``/mnt/NAME``."""

# What it takes to write a root file system, and no more: not mounts, kernel modules or the clock.
_ROOT_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "SETFCAP", "SETGID", "SETUID",
                      "SYS_CHROOT")  # fmt: skip
_LABEL_CAPABILITIES = (*_ROOT_CAPABILITIES, "SYS_ADMIN", "LINUX_IMMUTABLE")

Rights = Literal["none", "root", "label"]

_HIDDEN = ("kallsyms", "kcore", "key-users", "keys", "kmsg", "latency_stats", "sched_debug", "timer_list")
"""Files of /proc that show the host's kernel, its processes or its keys; most need a right that no command has."""

_LONGEST_SECONDS = 7200.0
"""For commands that run nothing of an installroot: their work is known, but not how fast the machine is."""


@dataclass(frozen=True)
class Bind:
    """A directory or file of the host that a command in the tools tree sees at ``target``."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class Tools:
    """The tools tree. ``key`` identifies its content and is part of the key of every stage.

    Every command without network access gets the variables ``environment``, and the files
    ``device_files`` in its /dev. ``./workbook verify`` uses both to vary the conditions of a build.
    ``limits`` hold for commands in an installroot, which run programs of packages and recipes.
    """

    root: Path
    key: str
    environment: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    device_files: Mapping[str, Path] = field(default_factory=dict, kw_only=True)
    limits: Limits = field(default_factory=Limits, kw_only=True)

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
        group: ControlGroup | None = None,
    ) -> list[str]:
        """The command line that runs ``words`` in the tools tree: bubblewrap's, started by ``confine``.

        ``rights``: "none"; "root" to write a root file system (owners, device nodes,
        chroot); "label" to also set ``security.*`` attributes. ``filesystems``: directories
        in which to mount /proc and /dev, for scriptlets that run in a chroot. ``devices``:
        device nodes of the host that the command may use. ``group``: the limits, if any.
        """
        line = ["bwrap", "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid", "--unshare-uts"]
        line += ["--unshare-cgroup-try", "--hostname", "workbook", "--ro-bind", str(self.root), "/"]
        line += [*_own_filesystems(), "--tmpfs", "/tmp", "--tmpfs", "/var/tmp", "--tmpfs", "/run", "--tmpfs", MOUNTS]
        if not network:
            line.append("--unshare-net")
        elif Path("/etc/resolv.conf").exists():
            line += ["--ro-bind", str(Path("/etc/resolv.conf").resolve()), "/etc/resolv.conf"]
        for device in devices:
            line += ["--dev-bind", device, device]
        for bind in binds:
            line += ["--bind" if bind.writable else "--ro-bind", str(bind.source), bind.target]
        for target in filesystems:
            line += _filesystems(target)
        if not network:  # with a wrong clock the certificates of a mirror would not be valid
            line += self._conditions(("", *filesystems))
        line += ["--cap-drop", "ALL"]
        for name in {"none": (), "root": _ROOT_CAPABILITIES, "label": _LABEL_CAPABILITIES}[rights]:
            line += ["--cap-add", f"CAP_{name}"]
        line += ["--chdir", cwd, "--", *(os.fspath(word) for word in words)]
        return confined(group.as_words() if group else [NO_CORE], line)

    def _conditions(self, roots: Sequence[str]) -> list[str]:
        files = [(f"{root}/dev/{name}", path) for root in roots for name, path in self.device_files.items()]
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
        """Run a command in the tools tree and wait for it; see ``argv`` and ``command.run``.

        A command with ``filesystems`` runs programs of an installroot, so ``limits`` hold for it.
        Raises CommandError that names the limit if it reaches one, even if it goes on without what it did not get.
        """
        with ExitStack() as stack:
            group = stack.enter_context(control_group(self.limits)) if filesystems else None
            line = self.argv(
                words, binds=binds, rights=rights, network=network, filesystems=filesystems, cwd=cwd, group=group
            )
            longest_seconds = self.limits.seconds if group else _LONGEST_SECONDS
            try:
                done = command.run(
                    line, env={"HOME": "/tmp", **(env or {})}, input=input, network=network,
                    timeout_seconds=timeout_seconds or longest_seconds, log=log, hint=hint, shown=words,
                    writes_to=[bind.source for bind in binds if bind.writable],
                )  # fmt: skip
            except command.CommandError as error:
                if group and (reason := group.reached(error.status)):
                    raise _limit_error(words, reason, error) from None
                raise
            if group and (reason := group.reached(0)):
                raise _limit_error(words, reason)
            return done

    @contextmanager
    def running(
        self,
        words: Sequence[str | os.PathLike[str]],
        *,
        log: Path,
        binds: Sequence[Bind] = (),
        rights: Rights = "none",
        network: bool = False,
        devices: Sequence[str] = (),
    ) -> Iterator[command.Background]:
        """Run a command in the tools tree in the background; it and its children are killed when the block ends."""
        line = self.argv(words, binds=binds, rights=rights, network=network, devices=devices)
        with command.running(line, log=log, env={"HOME": "/tmp"}, network=network) as process:
            yield process


def _own_filesystems() -> list[str]:
    """Options that mount /proc and /dev of the tools tree: /proc read-only, without files about the host.

    Sysctls, and much else in /proc, belong to the host, whichever namespace the mount is in.
    """
    masks = [word for name in _HIDDEN for word in _bind("/dev/null", f"/proc/{name}", Path("/proc", name))]
    return ["--proc", "/proc", *masks, "--remount-ro", "/proc", "--dev", "/dev"]


def _filesystems(root: str) -> list[str]:
    """Options that mount /proc and /dev of an installroot.

    All of /proc but processes is read-only, each entry by itself: programs of packages may write to their own.
    """
    entries = sorted(path for path in Path("/proc").iterdir() if not path.name.isdigit() and not path.is_symlink())
    binds = [("/dev/null" if path.name in _HIDDEN else str(path), path) for path in entries]
    covers = [word for source, path in binds for word in _bind(source, f"{root}{path}", path)]
    return ["--proc", f"{root}/proc", *covers, "--dev", f"{root}/dev"]


def _bind(source: str, target: str, needed: Path) -> list[str]:
    return ["--ro-bind", source, target] if needed.exists() else []


def _limit_error(
    words: Sequence[str | os.PathLike[str]], reason: str, error: command.CommandError | None = None
) -> command.CommandError:
    """The error of a command that reached a limit; ``error`` is what it ended with, if it failed."""
    shown = shlex.join(os.fspath(word) for word in words)
    hint = "correct the script or the package, or raise the parameter in brackets"
    limited = command.CommandError(f"{shown}: stopped: {reason}", log=error.log if error else "", hint=hint)
    if error:
        limited.status, limited.stdout, limited.stderr = error.status, error.stdout, error.stderr
    return limited
