"""QEMU's monitor: which port of the host is the guest's ssh, and the guest's network cable, pulled out and put back.

Format: https://www.qemu.org/docs/master/interop/qmp-spec.html
"""

import json
import os
import re
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from atomic_lib.base.errors import WorkbookError

MONITOR_SOCKET = "monitor"
"""The name of the monitor's socket in the directory of a boot."""

# libslirp, slirp_connection_info: protocol and state, descriptor, address and port of the host
_FORWARDED = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s")
_NETWORK = "net"
_START_SECONDS = 20.0
_ANSWER_SECONDS = 20.0
_END_SECONDS = 2.0
_POLL_SECONDS = 0.02


def set_link(directory: Path, *, up: bool) -> None:
    """Give the guest that boots in ``directory`` a carrier, or take it away.

    Raises WorkbookError where QEMU does not answer, or refuses.
    """
    _do(directory, "set_link", {"name": _NETWORK, "up": up})


def forwarded_port(directory: Path, check: Callable[[], None]) -> int:
    """The port of 127.0.0.1 that QEMU chose and forwards to the guest; ``check`` raises once QEMU has ended.

    Raises WorkbookError where QEMU does not answer, or forwards none.
    """
    text = _do(directory, "human-monitor-command", {"command-line": "info usernet"}, check)
    found = _FORWARDED.search(str(text))
    if not found:
        raise WorkbookError(f"QEMU forwards no port: {text!r}", hint=f"read {directory / 'qemu.log'}")
    return int(found[1])


def _do(
    directory: Path, command: str, arguments: Mapping[str, object], check: Callable[[], None] = lambda: None
) -> object:
    """What QEMU returns for a command."""
    answer: Mapping[str, object] = {}
    with _connect(directory, check) as monitor, monitor.makefile(encoding="utf-8") as lines:
        for name, values in (("qmp_capabilities", {}), (command, arguments)):
            answer = _ask(monitor, lines, {"execute": name, "arguments": values})
            if "return" not in answer:
                _wait_for_end(check, answer)
                raise WorkbookError(f"QEMU did not do {name}: {answer}", hint=f"read {directory / 'qemu.log'}")
    return answer["return"]


def _wait_for_end(check: Callable[[], None], answer: Mapping[str, object]) -> None:
    """Let ``check`` raise, if there is no answer because QEMU is ending: its process is there a moment longer."""
    deadline = time.monotonic() + (0 if answer else _END_SECONDS)
    check()
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        check()


def _ask(monitor: socket.socket, lines: TextIO, message: Mapping[str, object]) -> Mapping[str, object]:
    """The answer to a command, greeting and events skipped; empty if QEMU ends without one."""
    try:
        monitor.sendall(json.dumps(message).encode() + b"\n")
        for line in lines:
            answer: Mapping[str, object] = json.loads(line)
            if "event" not in answer and "QMP" not in answer:
                return answer
    except OSError:
        pass
    return {}


def wait_until_gone(directory: Path, seconds: float) -> None:
    """Return once a QEMU that was killed is gone, with the lock on its disk: freeing the memory takes a moment."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            _open(directory).close()
        except OSError:  # nobody listens
            return
        time.sleep(_POLL_SECONDS)


def _connect(directory: Path, check: Callable[[], None]) -> socket.socket:
    """A connection to the monitor, which is there a moment after QEMU starts; ``check`` raises once QEMU has ended."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return _open(directory)
        except OSError as error:
            check()
            if time.monotonic() > deadline:
                message = f"QEMU's monitor does not answer: {error.strerror}"
                raise WorkbookError(message, hint=f"read {directory / 'qemu.log'}") from None
        time.sleep(_POLL_SECONDS)


def _open(directory: Path) -> socket.socket:
    # A socket's path may have 107 bytes; that of a directory which is open is short.
    handle = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    monitor = socket.socket(socket.AF_UNIX)
    try:
        monitor.settimeout(_ANSWER_SECONDS)
        monitor.connect(f"/proc/self/fd/{handle}/{MONITOR_SOCKET}")
    except BaseException:
        monitor.close()
        raise
    finally:
        os.close(handle)
    return monitor
