"""Waiting for an ssh server, and the options of every login."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.vm.qemu import Guest
from atomic_lib.guest.vm.sockets import SSH_SOCKET, short_path
from atomic_lib.guest.vm.ssh import Key, Shell, ssh_options, wait_for_banner
from atomic_lib.tools.sandbox import Tools


class Running:
    """A process that has not ended."""

    def poll(self) -> int | None:
        return None


def test_a_server_that_accepts_but_says_nothing_is_not_there_yet(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        for words in (b"", b"HTTP/1.1 400\r\n", b"SSH-2.0-x\r\n"):
            connection, _ = listener.accept()
            with connection:
                seen.append(words)
                connection.sendall(words)

    with socket.socket(socket.AF_UNIX) as listener:
        with short_path(tmp_path, SSH_SOCKET) as path:
            listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        wait_for_banner(Guest(Running(), 0.0, tmp_path), lambda: None)
        thread.join()
    assert len(seen) == 3


def test_waiting_ends_when_the_check_raises(tmp_path: Path) -> None:
    deadline = time.monotonic() + 0.5

    def check() -> None:
        if time.monotonic() > deadline:
            raise WorkbookError("over")

    with pytest.raises(WorkbookError, match="over"):
        wait_for_banner(Guest(Running(), 0.0, tmp_path), check)


def test_ssh_never_asks_and_keeps_to_the_directory_of_the_boot() -> None:
    words = ssh_options()
    assert words[:2] == ["-F", "none"]
    assert {"BatchMode=yes", "StrictHostKeyChecking=accept-new", "IdentitiesOnly=yes"} <= set(words)
    paths = [word.partition("=")[2] for word in words if "/mnt/" in word]
    assert len(paths) == 3
    assert all(path.startswith("/mnt/ssh/") for path in paths)


@dataclass(frozen=True)
class LimitTools(Tools):
    """Tools whose commands print their time limit."""

    def run(self, words: Sequence[str | os.PathLike[str]], **options: Any) -> Completed:
        """Run nothing."""
        return Completed(str(options["timeout_seconds"]), "")


@pytest.mark.parametrize(("load", "limit_seconds"), [(1.0, 60), (8.0, 240)])
def test_a_busy_host_gives_a_command_in_a_guest_more_time(
    load: float, limit_seconds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    shell = Shell(LimitTools(tmp_path, "key"), Key(tmp_path, "ssh-ed25519 x"))
    assert float(shell.run("true", timeout_seconds=60).stdout) == limit_seconds
    assert shell.run("true").stdout == "None"
