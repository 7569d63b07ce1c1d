"""A web server for an ostree repository, with a log of what was asked for and how many bytes it sent.

It can be told to fail, as servers and networks do.
"""

import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer, ThreadingUnixStreamServer
from typing import Literal
from urllib.parse import unquote

from atomic_lib.compose.update.download_prediction import Download, ServedFile, download_of
from atomic_lib.guest.vm.sockets import RECORDED_CHARACTERS, UPDATES_SOCKET, LeavableServer, short_path

ServerFault = Literal["none", "gone", "dies", "stalls", "garbage", "web page"]
"""What a server does: nothing wrong; closes each connection without an answer; sends half of an object and is gone from
then on; sends half of each object and then nothing, without an end; sends random bytes in place of an object's; answers
everything with a web page, as a hotel's network does."""
_POLL_SECONDS = 0.1
_STALL_SECONDS = 600
_PAGE = b"<!DOCTYPE html><title>Log in</title><p>Log in to use this network.\n"
_COMMIT_SUFFIXES = (".commit", ".commitmeta")


@dataclass
class ServerLog:
    """The answers so far: each file that was asked for, with the bytes of the body that were sent."""

    files: list[ServedFile] = field(default_factory=list)

    def take(self) -> Download:
        """What was downloaded since the last call."""
        files, self.files = self.files, []
        return download_of(files)


@dataclass(frozen=True)
class ServedAnswer:
    """An answer, or its beginning: ``length`` is what is announced, ``body`` what is sent."""

    status: HTTPStatus
    length: int
    body: bytes = b""


@dataclass
class Site:
    """What a server has, and its log. What it has and what it does may be changed while it runs.

    ``fault``: what is wrong with it, once it has sent ``spared`` objects that are neither a commit nor its signature.
    """

    repository: Path
    log: ServerLog = field(default_factory=ServerLog)
    fault: ServerFault = "none"
    spared: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def answer(self, path: str) -> ServedAnswer | None:
        """The answer to a request for ``path``; None: the connection is closed without one."""
        if "\0" in path:  # no file has such a name
            return ServedAnswer(HTTPStatus.NOT_FOUND, 0)
        root = self.repository.resolve()
        file = (root / path).resolve()
        if not file.is_relative_to(root):
            return ServedAnswer(HTTPStatus.FORBIDDEN, 0)
        with self._lock:
            fault = self._fault_of(path)
            if fault == "dies":
                self.fault, self.spared = "gone", 0
        if fault == "gone":
            return None
        answer = _spoiled(_sound(file), fault)
        # Logged before it is sent, so that a client that has its answer finds its request here.
        self.log.files.append(ServedFile(path[:RECORDED_CHARACTERS], len(answer.body)))
        return answer

    def _fault_of(self, path: str) -> ServerFault:
        """What goes wrong with this request."""
        if self.fault in ("none", "gone", "web page"):
            return self.fault
        if not path.startswith("objects/") or path.endswith(_COMMIT_SUFFIXES):
            return "none"
        self.spared -= 1
        return "none" if self.spared >= 0 else self.fault


def _sound(file: Path) -> ServedAnswer:
    if not os.path.isfile(file):  # False for a name that is too long, too
        return ServedAnswer(HTTPStatus.NOT_FOUND, 0)
    body = file.read_bytes()
    return ServedAnswer(HTTPStatus.OK, len(body), body)


def _spoiled(answer: ServedAnswer, fault: ServerFault) -> ServedAnswer:
    """The answer as a server with this fault gives it."""
    if fault == "web page":
        return ServedAnswer(HTTPStatus.OK, len(_PAGE), _PAGE)
    if answer.status != HTTPStatus.OK or fault == "none":
        return answer
    if fault == "garbage":
        return ServedAnswer(answer.status, answer.length, random.Random(0).randbytes(answer.length))
    return ServedAnswer(answer.status, answer.length, answer.body[: answer.length // 2])


@contextmanager
def serve_on_loopback(site: Site) -> Iterator[str]:
    """Serve a site on a port of 127.0.0.1 until the block is left; returns its URL."""
    server = _LoopbackServer(("127.0.0.1", 0), _Handler)
    server.site = site
    with _serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def serve_to_guest(site: Site, directory: Path) -> Iterator[None]:
    """Serve a site on the socket ``UPDATES_SOCKET`` in ``directory`` until the block is left."""
    (directory / UPDATES_SOCKET).unlink(missing_ok=True)
    with short_path(directory, UPDATES_SOCKET) as path:
        server = _SocketServer(path, _Handler)
    server.site = site
    try:
        with _serving(server):
            yield
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


class _LoopbackServer(LeavableServer, ThreadingHTTPServer):
    site: Site


class _SocketServer(LeavableServer, ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
    site: Site


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "repository"
    sys_version = ""
    timeout = 60
    server: _LoopbackServer | _SocketServer

    def do_GET(self) -> None:
        answer = self.server.site.answer(unquote(self.path.partition("?")[0]).lstrip("/"))
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(answer.length))
        self.end_headers()
        self.wfile.write(answer.body)
        self._stall(answer)
        self.close_connection = self.close_connection or len(answer.body) < answer.length

    def _stall(self, answer: ServedAnswer) -> None:
        """Keep the client waiting for the rest of the body, until the server does something else or is stopped."""
        until = time.monotonic() + _STALL_SECONDS
        while self.server.site.fault == "stalls" and len(answer.body) < answer.length and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are kept in ``ServerLog``; standard error stays quiet."""
