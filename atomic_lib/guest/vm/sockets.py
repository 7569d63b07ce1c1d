"""Sockets in the directory of a boot: how this program and a guest's QEMU, which has no network, reach each other.

The path of a Unix socket may have 107 bytes (unix(7)), so each is named from its directory's descriptor.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SSH_SOCKET = "ssh.socket"
"""Leads to the guest's ssh server."""
METADATA_SOCKET = "metadata.socket"
"""Where the guest's metadata service listens."""
UPDATES_SOCKET = "updates.socket"
"""Where the server of the guest's updates listens, if it has one."""
MONITOR_SOCKET = "monitor.socket"
"""Where QEMU's monitor listens, if it has one."""


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
