"""A web server for an ostree repository, with a log of what was asked for and how many bytes it sent."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer, ThreadingUnixStreamServer
from urllib.parse import unquote

from atomic_lib.compose.update.download_prediction import Download, ServedFile, download_of
from atomic_lib.guest.vm.sockets import UPDATES_SOCKET, short_path

_POLL_SECONDS = 0.1


@dataclass
class ServerLog:
    """The answers so far: each file that was asked for, with the bytes of the body that were sent."""

    files: list[ServedFile] = field(default_factory=list)

    def take(self) -> Download:
        """What was downloaded since the last call."""
        files, self.files = self.files, []
        return download_of(files)


@contextmanager
def serve_on_loopback(repository: Path) -> Iterator[tuple[str, ServerLog]]:
    """Serve a repository on a port of 127.0.0.1 until the block is left; returns its URL and the log."""
    server = _LoopbackServer(("127.0.0.1", 0), _Handler)
    server.repository, server.log = repository, ServerLog()
    with _serving(server):
        yield f"http://127.0.0.1:{server.server_port}", server.log


@contextmanager
def serve_to_guest(repository: Path, directory: Path) -> Iterator[ServerLog]:
    """Serve a repository on the socket ``UPDATES_SOCKET`` in ``directory`` until the block is left."""
    (directory / UPDATES_SOCKET).unlink(missing_ok=True)
    with short_path(directory, UPDATES_SOCKET) as path:
        server = _SocketServer(path, _Handler)
    server.repository, server.log = repository, ServerLog()
    try:
        with _serving(server):
            yield server.log
    finally:
        (directory / UPDATES_SOCKET).unlink(missing_ok=True)


@contextmanager
def _serving(server: BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _LoopbackServer(ThreadingHTTPServer):
    repository: Path
    log: ServerLog


class _SocketServer(ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
    repository: Path
    log: ServerLog


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "repository"
    sys_version = ""
    timeout = 60
    server: _LoopbackServer | _SocketServer

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0]).lstrip("/")
        root = self.server.repository.resolve()
        file = (root / path).resolve()
        if not file.is_relative_to(root):
            return self._begin(HTTPStatus.FORBIDDEN, 0)
        size = file.stat().st_size if file.is_file() else 0
        # Logged first, so that a client that has its answer finds its request here.
        self.server.log.files.append(ServedFile(path, size))
        if not file.is_file():
            return self._begin(HTTPStatus.NOT_FOUND, 0)
        self._begin(HTTPStatus.OK, size)
        with open(file, "rb") as source:
            shutil.copyfileobj(source, self.wfile)
        return None

    def _begin(self, status: HTTPStatus, size: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are kept in ``ServerLog``; standard error stays quiet."""
