"""Sockets in the directory of a boot: how this program and a guest's QEMU, which has no network, reach each other.

The path of a Unix socket may have 107 bytes (unix(7)), so each is named from its directory's descriptor.
"""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socketserver import BaseServer

SSH_SOCKET = "ssh.socket"
"""Leads to the guest's ssh server."""
METADATA_SOCKET = "metadata.socket"
"""Where the guest's metadata service listens."""
UPDATES_SOCKET = "updates.socket"
"""Where the server of the guest's updates listens, if it has one."""
RECORDED_CHARACTERS = 1000
"""As much as a server records of a path that it is asked for: a guest could fill the host's memory."""
_LONGEST_ANSWER = 65536


class LeavableServer(BaseServer):
    """A server whose clients may go at any time, as killed and rebooted guests do: that is no error to tell of."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Print what went wrong with a request, as the base class does, unless the connection ended."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def port_socket(port: int) -> str:
    """The name of the socket that leads to a TCP port of the guest."""
    return f"port-{port}.socket"


def fetch(directory: Path, port: int, path: str = "/", *, timeout_seconds: float = 30) -> str:
    """What a web server of the guest answers at ``port``, from its network; empty unless the status is 200."""
    connection = HTTPConnection("guest", port, timeout=timeout_seconds)
    try:
        connection.sock = connect(directory, port_socket(port), timeout_seconds=timeout_seconds)
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read(_LONGEST_ANSWER).decode(errors="replace")
    except (OSError, HTTPException):
        return ""
    finally:
        connection.close()
    return text if response.status == HTTPStatus.OK else ""


def connect(directory: Path, name: str, *, timeout_seconds: float) -> socket.socket:
    """A connection to a socket in ``directory``; the time limit holds for each call on it.

    Raises OSError if nobody listens there.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout_seconds)
        with short_path(directory, name) as path:
            connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def short_path(directory: Path, name: str) -> Iterator[str]:
    """A path to ``name`` in ``directory`` that is short whatever the directory's is, until the block is left."""
    handle = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{name}"
    finally:
        os.close(handle)
