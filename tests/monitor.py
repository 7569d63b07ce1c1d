"""QEMU's monitor: the network cable of a running guest, pulled out and put back.

Format: https://www.qemu.org/docs/master/interop/qmp-spec.html
"""

import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.vm.qemu import BOOT_MOUNT
from atomic_lib.guest.vm.sockets import connect

MONITOR_SOCKET = "monitor.socket"
"""Where QEMU's monitor listens."""
MONITOR_ARGUMENTS = ("-qmp", f"unix:{BOOT_MOUNT}/{MONITOR_SOCKET},server=on,wait=off")
"""QEMU's arguments for the monitor that this module uses."""

_NETWORK = "net"
_START_SECONDS = 20.0
_ANSWER_SECONDS = 20.0
_POLL_SECONDS = 0.02


def set_link(directory: Path, *, up: bool) -> None:
    """Give the guest that boots in ``directory`` a carrier, or take it away.

    Raises WorkbookError where QEMU does not answer, or refuses.
    """
    with _connect(directory) as monitor, monitor.makefile(encoding="utf-8") as lines:
        json.loads(lines.readline())  # the greeting
        for command, arguments in (("qmp_capabilities", {}), ("set_link", {"name": _NETWORK, "up": up})):
            answer = _ask(monitor, lines, {"execute": command, "arguments": arguments})
            if "return" not in answer:
                raise WorkbookError(f"QEMU did not do {command}: {answer}", hint=f"read {directory / 'qemu.log'}")


def _ask(monitor: socket.socket, lines: TextIO, message: Mapping[str, object]) -> Mapping[str, object]:
    """The answer to a command, events skipped; empty if QEMU ends without one."""
    try:
        monitor.sendall(json.dumps(message).encode() + b"\n")
        for line in lines:
            answer: Mapping[str, object] = json.loads(line)
            if "event" not in answer:
                return answer
    except OSError:
        pass
    return {}


def _connect(directory: Path) -> socket.socket:
    """A connection to the monitor, which is there a moment after QEMU starts."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return connect(directory, MONITOR_SOCKET, timeout_seconds=_ANSWER_SECONDS)
        except OSError as error:
            if time.monotonic() > deadline:
                message = f"QEMU's monitor does not answer: {error.strerror}"
                raise WorkbookError(message, hint=f"read {directory / 'qemu.log'}") from None
        time.sleep(_POLL_SECONDS)
