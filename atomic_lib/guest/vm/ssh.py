"""Logging in to a guest: a key made for one boot, one connection, commands over it."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

from atomic_lib.base.command import Completed
from atomic_lib.guest.vm.host_load import slowness
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, Guest, Process
from atomic_lib.guest.vm.sockets import SSH_SOCKET, connect
from atomic_lib.tools.sandbox import Bind, Tools

SSH_MOUNT = "/mnt/ssh"
"""Where ssh finds key, known hosts and control socket; short, because a socket's path may have 107 bytes."""

_PAUSES_SECONDS = (1.0, 2.0, 4.0, 5.0)
"""Between attempts. sshd counts 5 s of penalty per failed attempt and shuts an address out above 15 s."""
_POLL_SECONDS = 0.1
_LOGIN = "root@guest"

Deadline = Callable[[], None]
"""Called while waiting; raises when waiting on is pointless."""


@dataclass(frozen=True)
class Key:
    """A key pair: its directory (which also takes known hosts and control socket) and its public line."""

    directory: Path
    public: str


@dataclass(frozen=True)
class Shell:
    """An open connection to a guest as root."""

    tools: Tools
    key: Key

    def run(self, command: str, *, input: bytes | None = None, timeout_seconds: float | None = None) -> Completed:
        """Run a line of shell in the guest; raises CommandError as ``command.run`` does.

        ``timeout_seconds``: the limit on a host with nothing else to do; a busy one gets more time.
        """
        # Over the open connection or not at all: a silent second login would hide that it is lost.
        words = ["ssh", *ssh_options(), "-o", "ControlMaster=no", "-o", "ProxyCommand=false", _LOGIN, command]
        limit_seconds = timeout_seconds and timeout_seconds * slowness()
        return self.tools.run(words, binds=[_bind(self.key.directory)], input=input, timeout_seconds=limit_seconds)


@contextmanager
def one_boot_key(tools: Tools, parent: Path) -> Iterator[Key]:
    """An ed25519 key in a directory of its own below ``parent``; both are gone after the block."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "one-boot", "-f", f"{SSH_MOUNT}/key"]
    with tempfile.TemporaryDirectory(prefix="ssh-", dir=parent) as name:
        directory = Path(name).absolute()
        tools.run(words, binds=[_bind(directory)])
        yield Key(directory, (directory / "key.pub").read_text().strip())


def ssh_options() -> list[str]:
    """The options that every ssh command of a boot shares."""
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "60",
        "ControlPath": f"{SSH_MOUNT}/control",
        "IdentitiesOnly": "yes",
        "IdentityFile": f"{SSH_MOUNT}/key",
        "LogLevel": "ERROR",
        "ServerAliveCountMax": "20",
        "ServerAliveInterval": "15",
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": f"{SSH_MOUNT}/known_hosts",
    }
    return ["-F", "none"] + [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def wait_for_banner(guest: Guest, check: Deadline) -> None:
    """Return when an ssh server really answers: user networking accepts long before the guest does."""
    while not _read_banner(guest.directory).startswith(b"SSH-"):
        check()
        time.sleep(_POLL_SECONDS)


def wait_for_silence(guest: Guest, check: Deadline) -> None:
    """Return when no ssh server answers any more: the guest is on its way down."""
    while _read_banner(guest.directory):
        check()
        time.sleep(_POLL_SECONDS)


@contextmanager
def log_in(tools: Tools, key: Key, guest: Guest, check: Deadline) -> Iterator[Shell]:
    """Open the one connection, trying until ``check`` raises; it is closed on leaving the block.

    ssh's own words are appended to ``ssh.log`` in the directory of the boot.
    """
    # of an earlier boot that lost its power
    (key.directory / "control").unlink(missing_ok=True)
    log, binds = guest.directory / "ssh.log", [_bind(key.directory), Bind(guest.directory.absolute(), BOOT_MOUNT)]
    words = [
        "ssh",
        *ssh_options(),
        "-o",
        f"ProxyCommand=socat - UNIX-CONNECT:{BOOT_MOUNT}/{SSH_SOCKET}",
        "-M",
        "-N",
        _LOGIN,
    ]
    with ExitStack() as stack:
        for pause_seconds in chain(_PAUSES_SECONDS, repeat(_PAUSES_SECONDS[-1])):
            process = stack.enter_context(tools.running(words, log=log, binds=binds))
            if _connected(process, key.directory / "control", check):
                yield Shell(tools, key)
                return
            time.sleep(pause_seconds)


def _bind(directory: Path) -> Bind:
    return Bind(directory, SSH_MOUNT, writable=True)


def _read_banner(directory: Path) -> bytes:
    # A connection that the guest did not take at once is repeated ever more slowly inside
    # user networking, so a new one finds a server sooner than a patient one.
    with suppress(OSError), connect(directory, SSH_SOCKET, timeout_seconds=3) as connection:
        return connection.recv(64)
    return b""


def _connected(process: Process, control: Path, check: Deadline) -> bool:
    """Wait until the connection stands (its control socket is there) or ssh has given up."""
    while process.poll() is None:
        if control.exists():
            return True
        check()
        time.sleep(_POLL_SECONDS)
    check()
    return False
