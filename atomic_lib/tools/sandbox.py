"""Runs commands in the tools tree through bubblewrap, with namespaces of their own and the tree read-only."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from atomic_lib.base import command

MOUNTS = "/mnt"
"""The directory in the tools tree where commands see the host directories that they use: ``/mnt/NAME``."""

# What it takes to write a root file system, and no more: not mounts, kernel modules or the clock.
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
    """The tools tree. ``key`` identifies its content and is part of the key of every stage.

    Every command without network access gets the variables ``environment``, and the files
    ``device_files`` in its /dev. ``./workbook verify`` uses both to vary the conditions of a build.
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
        chroot); "label" to also set ``security.*`` attributes. ``filesystems``: directories
        in which to mount /proc and /dev, for scriptlets that run in a chroot. ``devices``:
        device nodes of the host that the command may use.
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
        if not network:  # with a wrong clock the certificates of a mirror would not be valid
            line += self._conditions(("", *filesystems))
        line += ["--cap-drop", "ALL"]
        for name in {"none": (), "root": _ROOT_CAPABILITIES, "label": _LABEL_CAPABILITIES}[rights]:
            line += ["--cap-add", f"CAP_{name}"]
        return [*line, "--chdir", cwd, "--", *(os.fspath(word) for word in words)]

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
        """Run a command in the tools tree and wait for it; see ``argv`` and ``command.run``."""
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
        """Run a command in the tools tree in the background; it and its children are killed when the block ends."""
        line = self.argv(words, binds=binds, network=network, devices=devices)
        with command.running(line, log=log, env={"HOME": "/tmp"}) as process:
            yield process
