"""A metadata service at an address: what QEMU's user networking does for a guest."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

from atomic_lib.guest.vm.metadata_service import Instance, MetadataService, Sessions, metadata_service
from atomic_lib.guest.vm.sockets import METADATA_SOCKET, connect


@dataclass(frozen=True)
class Served:
    """A running service and the address that leads to it."""

    service: MetadataService
    url: str


@contextmanager
def served(instance: Instance, sessions: Sessions = "required") -> Iterator[Served]:
    """A metadata service that a program on this host can ask, until the block is left."""
    with (
        tempfile.TemporaryDirectory() as name,
        metadata_service(instance, Path(name), sessions) as service,
        forwarded(Path(name), METADATA_SOCKET) as port,
    ):
        yield Served(service, f"http://127.0.0.1:{port}")


@contextmanager
def forwarded(directory: Path, socket_name: str) -> Iterator[int]:
    """A port of 127.0.0.1 that leads to a socket, until the block is left."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with connect(directory, socket_name, timeout_seconds=30) as other:
                answers = threading.Thread(target=_copy, args=(other, self.request))
                answers.start()
                _copy(self.request, other)
                answers.join()

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
